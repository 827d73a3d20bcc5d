import type { TestContext } from 'vitest';
import type { Run } from '../../e2e/running-stack.js';
import { DisturbedRun } from './disturbed-run.js';
import { FAULT_VIEWS, type FaultView } from './fault-specs.js';
import type { FaultStack } from './fault-stack.js';
import type { FaultOutcome } from './fault-outcome.js';
import { Schedule } from './schedule.js';
import { expectUndisturbed } from './undisturbed.js';

export interface Fault {
  /** For people, and for the schedule. */
  readonly fault: string;
  readonly view: FaultView;
  /** Whether its teacher scores while it trains. @default true */
  readonly live?: boolean;
  readonly strike: (run: DisturbedRun, schedule: Schedule) => Promise<void>;
}

/** Runs that are disturbed, each held against one of the same spec that was not. */
export class Survival {
  private readonly references = new Map<FaultView, Promise<Run>>();

  constructor(private readonly stack: FaultStack) {}

  /** The undisturbed run. */
  reference(view: FaultView): Promise<Run> {
    const known = this.references.get(view);
    if (known !== undefined) return known;
    const { running } = this.stack;
    const run = running
      .startRun(FAULT_VIEWS[view].spec(`undisturbed-${view}`))
      .then((id) => running.finished(id))
      .then(async (undisturbed) => {
        await expectUndisturbed(this.stack, undisturbed, undisturbed);
        return undisturbed;
      });
    this.references.set(view, run);
    return run;
  }

  /** Lets the fault strike a run, and expects of it what the undisturbed run came to. */
  async expectOf(
    { task }: Pick<TestContext, 'task'>,
    { fault, view, live = true, strike }: Fault,
  ): Promise<Run> {
    const undisturbed = await this.reference(view);
    const { running } = this.stack;
    const streamKey = undisturbed.lineage.streamKey ?? '';
    if (live) await this.stack.removeStream(streamKey);
    const began = performance.now();
    const id = await running.startRun(FAULT_VIEWS[view].spec('disturbed'));
    const disturbed = new DisturbedRun(this.stack, id, streamKey);
    const tell = (rest: Pick<FaultOutcome, 'outcome' | 'attempts' | 'seconds'>): void => {
      task.meta.fault = { fault, view, at: disturbed.strikes, ...rest };
    };
    try {
      await strike(disturbed, new Schedule(`${fault} ${view}`));
    } finally {
      tell({ outcome: 'not completed', attempts: null, seconds: null });
    }
    const run = await running.finished(id);
    const seconds = (performance.now() - began) / 1_000;
    tell({ outcome: run.state, attempts: run.attempts, seconds });
    await expectUndisturbed(this.stack, run, undisturbed);
    tell({ outcome: 'completed, same weights', attempts: run.attempts, seconds });
    return run;
  }
}
