import { Controller, Inject } from '@nestjs/common';
import {
  FidelisError,
  trainingEvents,
  trainJob,
  type TrainingResult,
  type TrainJob,
} from '@fidelis/contracts';
import { EventPublisher, OnJob, RunPositions, type MessageContext } from '@fidelis/bus';
import { LOGGER, MetricsRegistry, runInContext, type Logger } from '@fidelis/observability';
import { WORKER_CONFIG } from './worker-config.token.js';
import type { WorkerConfig } from '../config.js';
import { RunClaim } from './run-claim.js';
import { TrainingSessions } from './training-sessions.js';

/** Takes one training after the other from the queue. */
@Controller()
export class TrainingHandler {
  constructor(
    @Inject(RunPositions) private readonly positions: RunPositions,
    @Inject(EventPublisher) private readonly events: EventPublisher,
    @Inject(TrainingSessions) private readonly sessions: TrainingSessions,
    @Inject(MetricsRegistry) private readonly metrics: MetricsRegistry,
    @Inject(WORKER_CONFIG) private readonly config: WorkerConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @OnJob(trainJob, { durable: 'trainers' })
  async train(job: TrainJob, context: MessageContext): Promise<void> {
    await runInContext({ runId: job.runId, correlationId: job.correlationId }, () => this.work(job, context));
  }

  private async work(job: TrainJob, context: MessageContext): Promise<void> {
    const claim = await RunClaim.take(
      this.positions,
      job.runId,
      context.fencingToken,
      this.config.FIDELIS_INSTANCE,
    );
    if (claim.position.result !== null) {
      // The run was finished, but perhaps nobody heard.
      await this.tell(job, claim.position.token, claim.position.result);
      return;
    }
    const result = await this.attempt(job, claim, context);
    await claim.finish(result);
    await this.tell(job, claim.position.token, result);
    this.metrics.counter('fidelis_trainings_total').inc({ kind: job.kind, outcome: result.outcome });
    this.logger.info({ outcome: result.outcome }, 'training ended');
    // A job that ends whoever takes it is set aside as it came, with its reason.
    if (result.outcome === 'failed' && result.error.code === 'TRAINING.ATTEMPTS_EXHAUSTED')
      throw FidelisError.fromWire(result.error);
  }

  /** @throws FidelisError RUN.LEASE_LOST if the run is somebody else's now; what the queue should try again */
  private async attempt(job: TrainJob, claim: RunClaim, context: MessageContext): Promise<TrainingResult> {
    if (await this.positions.cancelled(job.runId)) return { outcome: 'cancelled' };
    const { attempts } = claim.position;
    if (attempts > this.config.FIDELIS_MAX_ATTEMPTS)
      return { outcome: 'failed', error: exhausted(job, attempts).toWire() };
    const { token } = claim.position;
    const at = new Date().toISOString();
    const worker = this.config.FIDELIS_INSTANCE;
    await this.events.publish(
      trainingEvents.started,
      job.runId,
      { runId: job.runId, token, worker, attempt: attempts, at },
      { correlationId: job.correlationId },
    );
    this.metrics.counter('fidelis_run_attempts_total').inc({ kind: job.kind });
    this.logger.info({ attempt: attempts, fromStep: claim.position.checkpointStep + 1 }, 'training begins');
    try {
      return await this.sessions.run(job, claim, context);
    } catch (error) {
      if (context.signal.aborted)
        throw new FidelisError('BUS.UNAVAILABLE', 'the worker is stopping', { cause: error });
      const failure = FidelisError.from(error);
      // What can succeed later goes back to the queue, and the attempts are counted; a run that is lost is not ours to end.
      if (failure.retryable || failure.code === 'RUN.LEASE_LOST') throw failure;
      this.logger.error({ code: failure.code, err: error }, 'training failed');
      return { outcome: 'failed', error: failure.toWire() };
    }
  }

  private async tell(job: TrainJob, token: number, result: TrainingResult): Promise<void> {
    await this.events.publish(
      trainingEvents.finished,
      job.runId,
      { runId: job.runId, kind: job.kind, token, result, at: new Date().toISOString() },
      { correlationId: job.correlationId, messageId: `${job.runId}.finished.${token}` },
    );
  }
}

function exhausted(job: TrainJob, attempts: number): FidelisError {
  return new FidelisError(
    'TRAINING.ATTEMPTS_EXHAUSTED',
    `${job.runId} was tried ${attempts - 1} times without reaching a checkpoint: see the workers' logs for what ends it`,
    { details: { runId: job.runId, attempts: attempts - 1 } },
  );
}
