import { FidelisError, metricsRpc, streamRpc, trainJob } from '@fidelis/contracts';
import type { JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import type { RunRepository } from './run.repository.js';
import { isEnded } from './run-transitions.js';

/** Takes a run away with all that is known of it. Its weights and checkpoints are garbage then: see GarbageCollection. */
export class RunRemoval {
  constructor(
    private readonly runs: RunRepository,
    private readonly rpc: RpcClient,
    private readonly jobs: JobQueue,
    private readonly positions: RunPositions,
  ) {}

  /** The record goes last: a removal that was cut off can be asked for again. @throws FidelisError RUN.NOT_FOUND, RUN.NOT_ENDED */
  async remove(id: string): Promise<void> {
    const row = await this.runs.get(id);
    if (!isEnded(row)) {
      throw new FidelisError(
        'RUN.NOT_ENDED',
        `run ${id} is ${row.state}: end it with "fidelis cancel ${id}" first`,
        {
          details: { id, state: row.state },
        },
      );
    }
    await this.jobs.remove(trainJob, row.spec.placement, id);
    await this.rpc.call(streamRpc.release, { runId: id });
    await this.rpc.call(metricsRpc.removeRun, { runId: id });
    await this.positions.forget(id);
    await this.runs.remove(id);
  }
}
