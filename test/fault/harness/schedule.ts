import { createHash } from 'node:crypto';
import { philox4x32 } from '@fidelis/data';

/** Of all schedules; another one is given by FIDELIS_FAULT_SEED. */
export const FAULT_SEED = Number(process.env['FIDELIS_FAULT_SEED'] ?? 20_261_124) >>> 0;

/** Where in a run's steps faults may strike, as parts of them: not before it is under way, and early enough for what follows to matter. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const MIDDLE: Window = { from: 0.25, to: 0.6 };

/**
 * When and whom faults strike: a pure function of the seed and the fault's name, so that a schedule that failed can be run again. Steps and not
 * times: a strike waits for the run's progress.
 */
export class Schedule {
  constructor(
    private readonly name: string,
    private readonly seed = FAULT_SEED,
  ) {}

  /** One step in the middle of so many. */
  step(steps: number, window: Window = MIDDLE): number {
    const [step = 0] = this.steps(1, steps, window);
    return step;
  }

  /** So many steps, in ascending order. */
  steps(count: number, steps: number, { from, to }: Window = MIDDLE): number[] {
    return Array.from({ length: count }, (_, index) =>
      Math.floor(steps * (from + (to - from) * this.unit(index, 0))),
    ).sort((a, b) => a - b);
  }

  /** So many times one of these. */
  choices<Choice>(count: number, choices: readonly Choice[]): Choice[] {
    return Array.from({ length: count }, (_, index) => {
      const choice = choices[Math.floor(choices.length * this.unit(index, 1))];
      if (choice === undefined) throw new Error('nothing to choose from');
      return choice;
    });
  }

  /** In [0, 1). */
  private unit(index: number, purpose: number): number {
    const nameKey = createHash('sha256').update(this.name).digest().readUInt32LE();
    const [word] = philox4x32([index, purpose, 0, 0], [this.seed, nameKey]);
    return word / 2 ** 32;
  }
}
