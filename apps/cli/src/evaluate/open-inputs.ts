import { FidelisError } from '@fidelis/contracts';
import { openTable, readLabels, type Table, type TableOptions } from '@fidelis/tables';
import type { ArrayReference, NamedStudent } from './array-reference.js';

export interface InputArray {
  /** As the person wrote it. */
  readonly text: string;
  readonly table: Table;
}

/** Opened and of one shape; nothing but the labels is in memory. */
export interface Inputs {
  readonly teacher: InputArray;
  readonly students: readonly (InputArray & { readonly name: string })[];
  /** int32[rows], each 0…classes−1 */
  readonly labels?: Int32Array;
  readonly rows: number;
  readonly classes: number;
}

/** @throws FidelisError REQUEST.INVALID naming the file that is wrong or does not fit the teacher's */
export async function openInputs(
  teacher: ArrayReference,
  students: readonly NamedStudent[],
  labels: ArrayReference | undefined,
  signal: AbortSignal,
): Promise<Inputs> {
  const teacherArray = await openArray(teacher, signal);
  const { rows, columns: classes } = teacherArray.table;
  refuseIf(rows === 0, `${teacher.text}: has no samples (0 rows). Give at least one`);
  refuseIf(
    classes < 2,
    `${teacher.text}: has one column, and there is one column per class, of at least 2 classes. Give the outputs before the argmax`,
  );
  const studentArrays: (InputArray & { readonly name: string })[] = [];
  for (const { name, source } of students) {
    const array = await openArray(source, signal);
    requireShape(array, teacherArray);
    studentArrays.push({ ...array, name });
  }
  const inputs = { teacher: teacherArray, students: studentArrays, rows, classes };
  return labels === undefined
    ? inputs
    : { ...inputs, labels: await openLabels(labels, teacherArray, signal) };
}

async function openArray(reference: ArrayReference, signal: AbortSignal): Promise<InputArray> {
  signal.throwIfAborted();
  return {
    text: reference.text,
    table: await openTable(reference.path, { ...partOptions(reference), signal }),
  };
}

function partOptions({ path, part }: ArrayReference): TableOptions {
  if (part === undefined) return {};
  if (/\.npz$/i.test(path)) return { member: part };
  return /[,*]/.test(part) ? { columns: part.split(',') } : { column: part };
}

function requireShape({ text, table }: InputArray, teacher: InputArray): void {
  const { rows, columns } = teacher.table;
  refuseIf(
    table.columns !== columns,
    `${text}: has ${table.columns} classes, but the teacher's ${teacher.text} has ${columns}: both need one column for each of the same classes, in the same order`,
  );
  refuseIf(
    table.rows !== rows,
    `${text}: has ${table.rows} samples, but the teacher's ${teacher.text} has ${rows}: both need the same samples in the same order`,
  );
}

async function openLabels(
  reference: ArrayReference,
  teacher: InputArray,
  signal: AbortSignal,
): Promise<Int32Array> {
  const { rows, columns: classes } = teacher.table;
  const labels = await readLabels(reference.path, { ...partOptions(reference), classes, signal });
  refuseIf(
    labels.length !== rows,
    `${reference.text}: has ${labels.length} labels, but the teacher's ${teacher.text} has ${rows} samples: give one label for each`,
  );
  return labels;
}

function refuseIf(condition: boolean, message: string): void {
  if (condition) throw new FidelisError('REQUEST.INVALID', message);
}
