import { basename } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** An array in a file: the whole of it, or the member, column or columns ("a,b", "logit_*") that are named. */
export interface ArrayReference {
  /** As it was written, for messages. */
  readonly text: string;
  readonly path: string;
  readonly part?: string;
}

export interface NamedStudent {
  readonly name: string;
  readonly source: ArrayReference;
}

const WITH_PART = /^(.+\.(?:npz|csv|tsv|txt|parquet|pq|arrow|arrows|feather|ipc)):([^/\\]+)$/i;
const WITH_NAME = /^([\w .-]+)=(.+)$/;

/** "y.npy", "all.npz:labels", "table.csv:label" */
export function arrayReference(text: string): ArrayReference {
  const [, path, part] = WITH_PART.exec(text) ?? [];
  return path === undefined || part === undefined ? { text, path: text } : { text, path, part };
}

/** One more `[name=]file`. Without a name it is that of the array or file. */
export function addStudent(text: string, before: readonly NamedStudent[] = []): readonly NamedStudent[] {
  const [, name, file = text] = WITH_NAME.exec(text) ?? [];
  const source = arrayReference(file);
  const student = { name: name ?? source.part ?? basename(source.path).replace(/\.\w+$/, ''), source };
  if (before.some((other) => other.name === student.name)) {
    throw new InvalidArgumentError(
      `Two students are called ${student.name}: name them with --student name=file.`,
    );
  }
  return [...before, student];
}
