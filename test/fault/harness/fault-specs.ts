import type { ExperimentSpecInput } from '@fidelis/contracts';
import { smallSpec } from '../../e2e/running-stack.js';

/** Views whose runs take some seconds: long enough to be struck in the middle. */
export const FAULT_VIEWS = {
  sequence: {
    spec: (name: string) => specOf(name, { kind: 'sequence', subset: { size: 640 } }, 60),
    /** 640 samples in batches of 64. */
    steps: 600,
    frames: 600,
  },
  table: {
    spec: (name: string) => specOf(name, { kind: 'table', subset: { size: 20_000 } }, 4),
    /** 20,000 samples in batches of 64, the last one of an epoch smaller. */
    steps: 4 * 313,
    /** Of 1,024 rows. */
    frames: 20,
  },
} as const;
export type FaultView = keyof typeof FAULT_VIEWS;

function specOf(
  name: string,
  view: NonNullable<ExperimentSpecInput['view']>,
  epochs: number,
): ExperimentSpecInput {
  const { student, ...rest } = smallSpec({ name, view });
  return { ...rest, student: { ...student, epochs } };
}
