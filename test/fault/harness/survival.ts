import type { TestContext } from 'vitest';
import type { Run } from '../../e2e/running-stack.js';
import { DisturbedRun } from './disturbed-run.js';
import { FAULT_SPECS, type FaultSpecName } from './fault-specs.js';
import type { FaultStack } from './fault-stack.js';
import { Schedule } from './schedule.js';
import { expectUndisturbed } from './undisturbed.js';

export interface Fault {
  /** For people, and for the schedule. */
  readonly fault: string;
  readonly of: FaultSpecName;
  /** Whether its teacher scores while it trains, although it did before. @default true */
  readonly live?: boolean;
  readonly strike: (run: DisturbedRun, schedule: Schedule) => Promise<void>;
}

/** Undisturbed runs, which do not depend on the stack that they ran on. */
export type References = Map<FaultSpecName, Promise<Run>>;

const DISTURBED_DEADLINE_MS = 280_000;

/** Runs that are disturbed, each held against one of the same spec that was not. */
export class Survival {
  constructor(
    private readonly stack: FaultStack,
    readonly references: References = new Map(),
  ) {}

  /** The undisturbed run. */
  reference(name: FaultSpecName): Promise<Run> {
    const known = this.references.get(name);
    if (known !== undefined) return known;
    const run = this.undisturbed(name);
    this.references.set(name, run);
    return run;
  }

  /** Lets the fault strike a run, and expects of it what the undisturbed run came to. */
  async expectOf(
    { task }: Pick<TestContext, 'task'>,
    { fault, of, live = true, strike }: Fault,
  ): Promise<Run> {
    const undisturbed = await this.reference(of);
    const { running } = this.stack;
    const streamKey = undisturbed.lineage.streamKey ?? '';
    if (live) await this.stack.removeStream(streamKey);
    const began = performance.now();
    const id = await running.startRun(FAULT_SPECS[of].spec('disturbed'));
    const disturbed = new DisturbedRun(this.stack, id, streamKey);
    const tell = (outcome: string, run?: Run): void => {
      const seconds = run === undefined ? null : (performance.now() - began) / 1_000;
      task.meta.fault = {
        fault,
        of,
        at: disturbed.strikes,
        outcome,
        attempts: run?.attempts ?? null,
        seconds,
      };
    };
    tell('not struck');
    try {
      await strike(disturbed, new Schedule(`${fault}, ${of}`));
    } finally {
      tell('not completed');
    }
    const run = await running.finished(id, DISTURBED_DEADLINE_MS);
    tell('completed, same weights', run);
    await expectUndisturbed(this.stack, run, undisturbed);
    return run;
  }

  private async undisturbed(name: FaultSpecName): Promise<Run> {
    const { running } = this.stack;
    const id = await running.startRun(FAULT_SPECS[name].spec('undisturbed'));
    const run = await running.finished(id);
    await expectUndisturbed(this.stack, run, run);
    return run;
  }
}
