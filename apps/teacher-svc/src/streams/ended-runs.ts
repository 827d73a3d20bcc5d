import { ENDED_RUN_STATES, FidelisError, runRpc } from '@fidelis/contracts';
import type { RpcClient } from '@fidelis/bus';

/** Those of the runs that have ended or do not exist. One that cannot be asked after is taken to go on. */
export async function endedRuns(runIds: readonly string[], rpc: Pick<RpcClient, 'call'>): Promise<string[]> {
  const ended: string[] = [];
  for (const id of runIds) {
    try {
      const { state } = await rpc.call(runRpc.get, { id });
      if (ENDED_RUN_STATES.includes(state)) ended.push(id);
    } catch (error) {
      if (FidelisError.from(error).code === 'RUN.NOT_FOUND') ended.push(id);
    }
  }
  return ended;
}
