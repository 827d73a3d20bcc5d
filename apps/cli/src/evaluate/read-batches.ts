import { FidelisError } from '@fidelis/contracts';
import type { CohortBatch, InputKind } from '@fidelis/fidelity';
import type { RowChunk } from '@fidelis/tables';
import type { InputArray, Inputs } from './open-inputs.js';

/** Values of one file that are in memory at a time: 8 MiB of float64. */
const CHUNK_VALUES = 2 ** 20;

/** The same rows of the teacher and of every student. */
export interface AlignedRows {
  /** Index of the first row within the files. */
  readonly firstRow: number;
  readonly batch: CohortBatch;
}

/**
 * Reads all files side by side, once.
 *
 * @param students indices of those to read
 * @throws FidelisError REQUEST.INVALID for what shows only while reading
 */
export async function* readBatches(inputs: Inputs, students: readonly number[]): AsyncGenerator<AlignedRows> {
  const { classes, labels } = inputs;
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_VALUES / classes));
  const arrays: InputArray[] = [
    inputs.teacher,
    ...students.flatMap((index) => inputs.students.slice(index, index + 1)),
  ];
  const readers = arrays.map(({ table }) => table.chunks(rowsPerChunk)[Symbol.asyncIterator]());
  try {
    for (let firstRow = 0; firstRow < inputs.rows;) {
      const chunks = await Promise.all(readers.map((reader) => reader.next()));
      const [teacher, ...students] = chunks.map(({ done, value }, index): RowChunk => {
        if (done === true) throw endsEarly(arrays[index]?.text ?? '', firstRow);
        return value;
      });
      if (teacher === undefined) return;
      const rows = teacher.length / classes;
      yield {
        firstRow,
        batch: {
          teacher,
          students,
          rows,
          ...(labels === undefined ? {} : { labels: labels.subarray(firstRow, firstRow + rows) }),
        },
      };
      firstRow += rows;
    }
  } finally {
    for (const reader of readers) await reader.return?.();
  }
}

function endsEarly(text: string, row: number): FidelisError {
  return new FidelisError(
    'REQUEST.INVALID',
    `${text}: ends after ${row} rows, before the others: it changed while it was read`,
  );
}

/** Where a batch is from. */
export interface BatchPlace {
  readonly inputs: Inputs;
  readonly kind: InputKind;
  /** Which of the students the batch has. */
  readonly students: readonly number[];
  readonly firstRow: number;
}

/**
 * Runs what adds a batch. What it refuses is told with the file in the place of "teacher" or "student" and with the row of the file in
 * the place of the batch's.
 */
export function inFileTerms({ inputs, kind, students, firstRow }: BatchPlace, add: () => void): void {
  try {
    add();
  } catch (error) {
    if (!FidelisError.is(error)) throw error;
    const { of, row, column } = error.details;
    const array = arrayOf(of, inputs, students);
    if (array === undefined || typeof row !== 'number') throw error;
    const message = error.message
      .replace(/^(teacher|student( \d+)?): /, '')
      .replace(`row ${row}`, `row ${row + firstRow}`)
      .replace(/: if these are logits.*$/, '');
    const hint = kind === 'logits' ? '' : ` If the file holds logits, say --kind logits.`;
    throw new FidelisError(
      error.code,
      `${array.text}: ${message}. Rows and columns are counted from 0; correct it, or leave the row out of all files.${hint}`,
      {
        cause: error,
        details: { path: array.table.path, row: row + firstRow, ...(column === undefined ? {} : { column }) },
      },
    );
  }
}

/** @param of "teacher", "student", or "student 1" of several in the batch */
function arrayOf(of: unknown, inputs: Inputs, students: readonly number[]): InputArray | undefined {
  if (of === 'teacher') return inputs.teacher;
  if (typeof of !== 'string' || !of.startsWith('student')) return undefined;
  const position = Number(/\d+$/.exec(of)?.[0] ?? 0);
  return inputs.students[students[position] ?? -1];
}
