import { openTable } from './open-table.js';
import { requireTable } from './table-error.js';
import { type TableOptions } from './table.js';

const CHUNK_ROWS = 65_536;

export interface LabelOptions extends TableOptions {
  /** Labels must be below this. */
  readonly classes?: number;
}

/**
 * One class index per row from a file that `openTable` reads. Whole numbers of any type are labels, floats too.
 *
 * @returns int32[rows]; 4 bytes per row are held
 * @throws FidelisError REQUEST.INVALID for what `openTable` refuses, more than one column, and a number that is no label, with its row
 */
export async function readLabels(path: string, options: LabelOptions = {}): Promise<Int32Array> {
  const { classes, ...tableOptions } = options;
  const table = await openTable(path, tableOptions);
  const advice =
    table.format === 'npy' || table.format === 'npz'
      ? 'Save class indices, one per row, not one-hot rows'
      : 'Name the column of the labels, as in FILE:label';
  requireTable(
    table.columns === 1,
    path,
    `has ${table.columns} columns where labels are one per row. ${advice}`,
  );
  const labels = new Int32Array(table.rows);
  const limit = classes ?? 2 ** 31;
  let row = 0;
  for await (const chunk of table.chunks(CHUNK_ROWS)) {
    options.signal?.throwIfAborted();
    for (const label of chunk) {
      requireTable(
        Number.isInteger(label) && label >= 0 && label < limit,
        path,
        `row ${row} (from 0): ${label} is no label; they are whole numbers from 0 ${classes === undefined ? 'on' : `to ${classes - 1}`}. Correct it`,
      );
      labels[row++] = label;
    }
  }
  return labels;
}
