import { FidelisError } from '@fidelis/contracts';
import { philox4x32, type PhiloxKey } from '@fidelis/data';
import type { ImmediateLogits, SampleRows } from './logit-source.js';

/** One row in so many is scored again. */
const ROWS_PER_CHECK = 1_000;
/** Allowed difference of f32 logits, for each unit of the row's largest logit: graphs and batches of other sizes add up in another order. */
const TOLERANCE = 1e-3;

export interface CheckedStep {
  readonly key: string;
  readonly step: number;
  /** Is checked whatever chance says: a stream has one checked row at least. */
  readonly first: boolean;
  readonly samples: SampleRows;
  /** [rows][members][classes], about to be published. */
  readonly values: Float32Array;
}

/**
 * What the input digest cannot see: a teacher in train mode, or with other weights than those that are stored. A second copy of the teacher, loaded by
 * itself, scores a row in a thousand again before it is published.
 */
export class Canary {
  constructor(
    /** Shares no object with the teacher that it watches. */
    private readonly reference: ImmediateLogits,
    private readonly teacherId: string,
    private readonly classes: number,
  ) {}

  /**
   * @returns how many rows were scored again
   * @throws FidelisError TEACHER.CANARY
   */
  check({ key, step, first, samples, values }: CheckedStep): number {
    const places = canaryRows(key, step, samples.rows, first);
    const rowLength = this.reference.members * this.classes;
    for (const row of places) {
      const expected = this.reference.logits(rowOf(samples, row));
      const given = values.subarray(row * rowLength, (row + 1) * rowLength);
      const worst = largestDifference(given, expected);
      if (worst === undefined) continue;
      throw this.alarm({ key, step, sampleId: samples.ids[row] ?? row }, given, expected, worst);
    }
    return places.length;
  }

  private alarm(
    place: { readonly key: string; readonly step: number; readonly sampleId: number },
    given: Float32Array,
    expected: Float32Array,
    { index, difference, tolerance }: Difference,
  ): FidelisError {
    const { key, step, sampleId } = place;
    const member = Math.floor(index / this.classes);
    const own = (values: Float32Array): number[] => [
      ...values.subarray(member * this.classes, (member + 1) * this.classes),
    ];
    return new FidelisError(
      'TEACHER.CANARY',
      `teacher ${this.teacherId} does not say what its stored weights say: in step ${step} of logit stream ${key}, member ${member} gives sample ` +
        `${sampleId} the logit ${figure(given[index])} for class ${index % this.classes}, a freshly loaded copy in eval mode ${figure(expected[index])} ` +
        `(difference ${figure(difference)}, allowed ${figure(tolerance)}). It is in train mode, or its weights were changed after they were loaded. ` +
        'Nothing of this step was published: restart teacher-svc and open the stream again; if it is so again, try FIDELIS_EAGER=true',
      {
        details: {
          ...{ teacherId: this.teacherId, key, step, sampleId, member },
          ...{ logits: own(given), expected: own(expected), largestDifference: difference, tolerance },
        },
      },
    );
  }
}

/** Which rows of a step are scored again: the same ones whoever asks. Ascending. */
export function canaryRows(key: string, step: number, rows: number, first: boolean): number[] {
  const streamKey: PhiloxKey = [
    Number.parseInt(key.slice(0, 8), 16) >>> 0,
    Number.parseInt(key.slice(8), 16) >>> 0,
  ];
  const unit = (draw: number): number => philox4x32([step >>> 0, draw, 0, 0], streamKey)[0] / 2 ** 32;
  const certain = Math.floor(rows / ROWS_PER_CHECK);
  const byChance = unit(0) < (rows % ROWS_PER_CHECK) / ROWS_PER_CHECK ? 1 : 0;
  const count = Math.max(certain + byChance, first && rows > 0 ? 1 : 0);
  const places = Array.from({ length: count }, (_, index) => Math.floor(unit(index + 1) * rows));
  return [...new Set(places)].sort((a, b) => a - b);
}

interface Difference {
  readonly index: number;
  readonly difference: number;
  readonly tolerance: number;
}

/** The largest difference, if it is more than is allowed; one that is no number is. */
function largestDifference(given: Float32Array, expected: Float32Array): Difference | undefined {
  const tolerance = TOLERANCE * expected.reduce((scale, value) => Math.max(scale, Math.abs(value)), 1);
  const differences = Array.from(expected, (value, index) => Math.abs(value - (given[index] ?? Number.NaN)));
  const odd = differences.findIndex(Number.isNaN);
  const index = odd >= 0 ? odd : differences.indexOf(Math.max(...differences));
  const difference = differences[index] ?? 0;
  return difference <= tolerance ? undefined : { index, difference, tolerance };
}

function rowOf({ split, ids, inputs, rows }: SampleRows, row: number): SampleRows {
  const length = inputs.length / rows;
  return {
    split,
    ids: ids.slice(row, row + 1),
    inputs: inputs.slice(row * length, (row + 1) * length),
    rows: 1,
  };
}

function figure(value: number | undefined): string {
  return value === undefined ? 'none' : `${Number(value.toPrecision(5))}`;
}
