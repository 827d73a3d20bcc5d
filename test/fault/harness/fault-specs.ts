import type { ExperimentSpecInput } from '@fidelis/contracts';
import { smallSpec } from '../../e2e/running-stack.js';

/** A run of some seconds: long enough to be struck in the middle. */
export interface FaultSpec {
  readonly spec: (name: string) => ExperimentSpecInput;
  /** Of the student's training. */
  readonly steps: number;
  /** Of the teacher's stream. */
  readonly frames: number;
}

const SEQUENCE = { kind: 'sequence', subset: { size: 640 } } as const;
/** 640 samples in batches of 64. */
const SEQUENCE_EPOCH = 10;

const TABLE = { kind: 'table', subset: { size: 12_000 } } as const;
/** 12,000 samples in batches of 64, the last one smaller; and in chunks of 1,024. */
const TABLE_EPOCH = 188;
const TABLE_CHUNKS = 12;

export const FAULT_SPECS = {
  sequence: sequence(60),
  table: {
    spec: (name) => specOf(name, { view: TABLE, epochs: 4 }),
    steps: 4 * TABLE_EPOCH,
    frames: TABLE_CHUNKS,
  },
  /** For many faults, one after the other. */
  'long sequence': sequence(200),
  /** On the same stream as `sequence`, of which it reads the first half. */
  'slow student': {
    ...sequence(30),
    spec: (name) =>
      specOf(name, {
        view: SEQUENCE,
        epochs: 30,
        architecture: { name: 'mlp', hiddenUnits: [1_024, 1_024] },
      }),
  },
} as const satisfies Record<string, FaultSpec>;
export type FaultSpecName = keyof typeof FAULT_SPECS;

function sequence(epochs: number): FaultSpec {
  const steps = epochs * SEQUENCE_EPOCH;
  return { spec: (name) => specOf(name, { view: SEQUENCE, epochs }), steps, frames: steps };
}

function specOf(
  name: string,
  {
    view,
    epochs,
    architecture,
  }: Pick<ExperimentSpecInput, 'view'> &
    Pick<ExperimentSpecInput['student'], 'epochs'> & {
      readonly architecture?: ExperimentSpecInput['student']['architecture'];
    },
): ExperimentSpecInput {
  const { student, ...rest } = smallSpec({ name });
  return {
    ...rest,
    ...(view === undefined ? {} : { view }),
    student: { ...student, epochs, ...(architecture === undefined ? {} : { architecture }) },
  };
}
