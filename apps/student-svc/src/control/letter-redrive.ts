import { randomUUID } from 'node:crypto';
import type { DeadLetterQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { isGiven, teacherRpc, type DeadLetter } from '@fidelis/contracts';
import type { RunLoop } from './run-loop.js';
import type { RunRepository } from './run.repository.js';
import * as transitions from './run-transitions.js';

/**
 * Has what was set aside handled again. Whoever the message was about may have been ended by it: a run is taken up where it failed, from its
 * last checkpoint; a teacher is trained again.
 */
export class LetterRedrive {
  constructor(
    private readonly letters: DeadLetterQueue,
    private readonly runs: RunRepository,
    private readonly loop: RunLoop,
    private readonly positions: RunPositions,
    private readonly rpc: RpcClient,
  ) {}

  /** @throws FidelisError DEADLETTER.NOT_FOUND; TEACHER.NOT_FOUND */
  async redrive(id: string): Promise<DeadLetter> {
    const letter = await this.letters.get(id);
    const { kind, about } = letter;
    if (kind === 'job' && about.startsWith('t-')) return this.trainTeacher(letter);
    if (kind !== 'job') await this.letters.redrive(id);
    if (kind === 'job' || kind === 'predictions') await this.revive(about);
    // Control queues the jobs of its runs by itself: the letter has done its work.
    if (kind === 'job') await this.letters.remove(id);
    return letter;
  }

  private async revive(runId: string): Promise<void> {
    await this.positions.withdrawCancel(runId);
    await this.positions.resetAttempts(runId);
    const run = await this.runs.change(runId, (row) => ({ visible: transitions.revived(row) }));
    if (run !== undefined) this.loop.look(runId);
  }

  private async trainTeacher(letter: DeadLetter): Promise<DeadLetter> {
    const { spec, state } = await this.rpc.call(teacherRpc.get, { id: letter.about });
    // Asked for by somebody new, a teacher that failed is trained once more.
    const correlationId = randomUUID();
    if (state === 'failed' && !isGiven(spec)) {
      await this.rpc.call(teacherRpc.ensure, { kind: 'spec', spec, correlationId });
    }
    await this.letters.remove(letter.id);
    return letter;
  }
}
