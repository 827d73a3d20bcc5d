import { FidelisError, type Split } from '@fidelis/contracts';
import type { ImmediateLogits, SampleRows } from './logit-source.js';

/** Logits that were given: what they are of a sample is looked up. */
export class TableLogits implements ImmediateLogits {
  /** @param tables by split: [rows of the split][members][classes] */
  constructor(
    readonly members: number,
    private readonly classes: number,
    private readonly tables: ReadonlyMap<Split, Float32Array>,
  ) {}

  /** @throws FidelisError TEACHER.FAILED where nothing is known of the split, or of a sample */
  logits({ split, ids }: SampleRows): Float32Array {
    const table = this.tables.get(split);
    if (table === undefined) {
      throw new FidelisError(
        'TEACHER.FAILED',
        `this teacher is a table of logits, and has none of the split ${split}`,
      );
    }
    const width = this.members * this.classes;
    const values = new Float32Array(ids.length * width);
    ids.forEach((id, row) => {
      if ((id + 1) * width > table.length) {
        throw new FidelisError(
          'TEACHER.FAILED',
          `this teacher is a table of logits, and has none of sample ${id}`,
        );
      }
      values.set(table.subarray(id * width, (id + 1) * width), row * width);
    });
    return values;
  }
}
