export { ArtifactInventory, type StoredArtifact } from './artifacts/artifact-inventory.js';
export { ArtifactStore, type ArtifactStoreOptions } from './artifacts/artifact-store.js';
export {
  BUS_CONNECTION,
  BusModule,
  type BusModuleAsyncOptions,
  type BusModuleOptions,
} from './bus.module.js';
export type { BusLog } from './connection/bus-log.js';
export {
  MESSAGE_KINDS,
  MESSAGE_OUTCOMES,
  type BusObserver,
  type MessageKind,
  type MessageOutcome,
} from './connection/bus-observer.js';
export { connectBus, type BusConnectionOptions } from './connection/connect-bus.js';
export { activeCorrelationId, withCorrelationId } from './connection/correlation.js';
export { DeadLetterQueue, type DeadLetterPage } from './dead-letters/dead-letter-queue.js';
export { EventPublisher, type PublishOptions } from './events/event-publisher.js';
export {
  EventSubscriber,
  type EventSubscription,
  type FollowedEvent,
  type SubscribeOptions,
} from './events/event-subscriber.js';
export { BusHealth } from './health/bus-health.js';
export {
  JobQueue,
  type EnqueueOptions,
  type EnqueueOutcome,
  type QueueDepth,
  type QueuedJob,
} from './jobs/job-queue.js';
export type { AppendOutcome } from './logits/append-step.js';
export {
  LogitLog,
  storedSteps,
  type EnsureLogOptions,
  type LogInfo,
  type LogitLogOptions,
  type LogUsage,
  type StoredSteps,
} from './logits/logit-log.js';
export type { FrameLoss } from './logits/ordered-reader.js';
export type { ReadOptions, StoredFrame } from './logits/read-frames.js';
export { RunPositions, type StoredPosition } from './positions/run-positions.js';
export type { PredictionPart } from './predictions/prediction-message.js';
export { PredictionPublisher } from './predictions/prediction-publisher.js';
export { RpcClient, type RpcCallOptions } from './rpc/rpc-client.js';
export {
  OnEvent,
  OnJob,
  OnPredictions,
  OnRpc,
  type Handler,
  type HandlerDecorator,
} from './server/decorators.js';
export type { DurableOptions, JobOptions } from './server/handler-definition.js';
export { JetStreamStrategy, type JetStreamStrategyOptions } from './server/jetstream-strategy.js';
export type { MessageContext } from './server/message-context.js';
export { isPlatformOutage } from './server/settlement.js';
export { whileWorking } from './server/while-working.js';
export type { AroundHandler } from './server/server-environment.js';
export { ensureTopology, type TopologyOptions } from './topology/ensure-topology.js';
export type { NatsConnection } from '@nats-io/transport-node';
