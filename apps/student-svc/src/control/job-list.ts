import type { QueuedJob } from '@fidelis/bus';
import type { JobRecord, RunPosition, TrainJob } from '@fidelis/contracts';

/** A job as people see it. A training that some worker has taken up is running, until it has ended or is taken up by another. */
export function jobRecord(
  { id, placement, payload, problem, queuedAt }: QueuedJob<TrainJob>,
  position: RunPosition | undefined,
): JobRecord {
  return {
    id,
    kind: payload?.kind ?? 'unknown',
    placement,
    state: position === undefined ? 'waiting' : 'running',
    worker: position?.worker ?? null,
    attempts: position?.attempts ?? 0,
    trainedStep: position?.trainedStep ?? null,
    checkpointStep: position?.checkpointStep ?? null,
    queuedAt: queuedAt.toISOString(),
    problem: problem ?? null,
  };
}
