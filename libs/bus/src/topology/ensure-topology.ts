import { ARTIFACTS_BUCKET, FidelisError, RUNS_BUCKET, STREAMS } from '@fidelis/contracts';
import { StorageType, type JetStreamManager } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { Objm } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamClient, streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { throughOutages, type PatienceOptions } from '../connection/patience.js';
import { differences, streamConfig, type RequestedStream } from './stream-config.js';

export interface TopologyOptions {
  /** Copies of each stream in a cluster. @default 1 */
  readonly replicas?: number | undefined;
  /** How long an absent server is waited for. @default 30,000 */
  readonly patienceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PATIENCE_MS = 30_000;

/**
 * Makes the streams, the KV bucket of the runs and the object store of the artifacts exist as the contracts define them.
 * Idempotent, and safe when many processes start at once. What an older version of the platform created is brought up
 * to date where the server allows it.
 *
 * @throws FidelisError BUS.STREAM_CONFLICT where something else has the name or the subjects; BUS.UNAVAILABLE
 */
export async function ensureTopology(
  connection: NatsConnection,
  options: TopologyOptions = {},
): Promise<void> {
  const { replicas = 1, patienceMs = PATIENCE_MS, signal } = options;
  const patience = (what: string): PatienceOptions => ({ what, patienceMs, signal });
  const manager = await throughOutages(() => streamManager(connection), patience('reach JetStream'));
  for (const definition of Object.values(STREAMS)) {
    await throughOutages(
      () => ensureStream(manager, streamConfig(definition, replicas)),
      patience(`create the stream ${definition.name}`),
    );
  }
  const js = streamClient(connection);
  await throughOutages(
    () => ensureRunsBucket(connection, replicas),
    patience(`create the bucket ${RUNS_BUCKET}`),
  );
  await throughOutages(
    () => new Objm(js).create(ARTIFACTS_BUCKET, { storage: StorageType.File, replicas }),
    patience(`create the object store ${ARTIFACTS_BUCKET}`),
  );
}

export function ensureRunsBucket(connection: NatsConnection, replicas: number): Promise<KV> {
  return new Kvm(streamClient(connection)).create(RUNS_BUCKET, {
    history: 1,
    storage: StorageType.File,
    replicas,
  });
}

/** @throws FidelisError BUS.STREAM_CONFLICT */
export async function ensureStream(manager: JetStreamManager, requested: RequestedStream): Promise<void> {
  try {
    const { config } = await manager.streams.add(requested);
    assertAsRequested(requested, differences(requested, config));
  } catch (error) {
    if (isJetStreamError(error, JS_ERROR.subjectsOverlap)) {
      throw conflict(requested, 'another stream has its subjects', error);
    }
    if (!isJetStreamError(error, JS_ERROR.streamNameInUse)) throw error;
    await updateStream(manager, requested);
  }
}

async function updateStream(manager: JetStreamManager, requested: RequestedStream): Promise<void> {
  const { config } = await manager.streams.info(requested.name);
  if (differences(requested, config).length === 0) return;
  try {
    const updated = await manager.streams.update(requested.name, requested);
    assertAsRequested(requested, differences(requested, updated.config));
  } catch (error) {
    if (FidelisError.is(error)) throw error;
    throw conflict(requested, error instanceof Error ? error.message : String(error), error);
  }
}

function assertAsRequested(requested: RequestedStream, differing: readonly string[]): void {
  if (differing.length > 0) {
    throw conflict(
      requested,
      `the server did not take over ${differing.join(', ')}; it may be too old`,
      undefined,
    );
  }
}

function conflict(requested: RequestedStream, why: string, cause: unknown): FidelisError {
  return new FidelisError(
    'BUS.STREAM_CONFLICT',
    `the stream ${requested.name} cannot be as the platform needs it: ${why}; remove or rename what is in the way`,
    { details: { stream: requested.name }, cause },
  );
}
