import { FidelisError, type RunPosition, type TrainingResult } from '@fidelis/contracts';
import type { RunPositions } from '@fidelis/bus';

/**
 * A worker's hold on a run. Its token grows with every delivery of the job; whoever holds the greatest owns the run. Each write is a compare-and-set on
 * the revision of the last one, so a worker that was only slow can write neither checkpoint nor result once another has claimed the run.
 */
export class RunClaim {
  private constructor(
    private readonly positions: RunPositions,
    readonly runId: string,
    private current: RunPosition,
    private revision: number,
  ) {}

  /**
   * @param token of the delivery: MessageContext.fencingToken
   * @returns the claim; `position.result` is set if the run was finished before
   * @throws FidelisError RUN.LEASE_LOST if a later delivery has the run, and has not finished it
   */
  static async take(
    positions: RunPositions,
    runId: string,
    token: number,
    worker: string,
  ): Promise<RunClaim> {
    const found = await positions.read(runId);
    if (found === undefined) {
      const first: RunPosition = {
        token,
        worker,
        attempts: 1,
        trainedStep: -1,
        checkpointStep: -1,
        checkpoint: null,
        result: null,
      };
      return new RunClaim(positions, runId, first, await positions.create(runId, first));
    }
    const { position, revision } = found;
    if (position.result !== null) return new RunClaim(positions, runId, position, revision);
    if (position.token > token) throw leaseLost(runId, position);
    // A nats-server killed right after a delivery forgets it, and the next one has the same token: an owner's is always the greater.
    const next = {
      ...position,
      token: Math.max(token, position.token + 1),
      worker,
      attempts: position.attempts + 1,
    };
    return new RunClaim(positions, runId, next, await positions.update(runId, next, revision));
  }

  get position(): RunPosition {
    return this.current;
  }

  async trained(step: number): Promise<void> {
    await this.write({ ...this.current, trainedStep: step });
  }

  /** A checkpoint is progress: the attempts are counted anew. */
  async checkpointed(step: number, checkpoint: string): Promise<void> {
    await this.write({ ...this.current, trainedStep: step, checkpointStep: step, checkpoint, attempts: 0 });
  }

  async finish(result: TrainingResult): Promise<void> {
    await this.write({ ...this.current, result });
  }

  private async write(next: RunPosition): Promise<void> {
    this.revision = await this.positions.update(this.runId, next, this.revision);
    this.current = next;
  }
}

function leaseLost(runId: string, position: RunPosition): FidelisError {
  return new FidelisError('RUN.LEASE_LOST', `run ${runId} was taken over by ${position.worker}`, {
    details: { runId, token: position.token, worker: position.worker },
  });
}
