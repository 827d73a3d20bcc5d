import { FidelisError, type RunState } from '@fidelis/contracts';
import type { RpcClient } from '@fidelis/bus';
import { describe, expect, it } from 'vitest';
import { endedRuns } from './ended-runs.js';

const answers: Record<string, RunState | FidelisError> = {
  trains: 'training',
  waits: 'preparing',
  finished: 'completed',
  broke: 'failed',
  stopped: 'cancelled',
  removed: new FidelisError('RUN.NOT_FOUND', 'there is no such run'),
  silent: new FidelisError('BUS.UNAVAILABLE', 'nobody answers'),
};
const rpc = {
  call: async (_contract: unknown, { id }: { readonly id: string }) => {
    const answer = answers[id];
    if (FidelisError.is(answer)) throw answer;
    return { state: answer };
  },
} as unknown as RpcClient;

describe('runs whose release was lost', () => {
  it('are those that ended or were removed, and none of which nobody can say', async () => {
    expect(await endedRuns(Object.keys(answers), rpc)).toEqual(['finished', 'broke', 'stopped', 'removed']);
  });
});
