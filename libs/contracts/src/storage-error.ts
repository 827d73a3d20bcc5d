import { FidelisError } from './errors.js';

/** What the file system says of a place where nothing can be written, by its error's code. */
const FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
};

/** How the writers of one kind of directory tell of theirs. */
export interface StoragePlace {
  /** Ends the sentence "or choose another directory". @default nothing */
  readonly otherwise?: string;
  /** Codes that mean something here alone, or are said otherwise here. */
  readonly faults?: Readonly<Record<string, string>>;
}

/** STORAGE.UNWRITABLE with what is wrong with `path` and what to do. */
export function unwritable(
  path: string,
  reason: string,
  { otherwise = '' }: StoragePlace = {},
  cause?: unknown,
): FidelisError {
  const message = `cannot write to ${path}: ${reason}. Make room or give write access there, or choose another directory${otherwise}`;
  return new FidelisError('STORAGE.UNWRITABLE', message, { details: { path }, cause });
}

/** What the file system has against writing to `path`, as STORAGE.UNWRITABLE; anything else as it came. */
export function asUnwritable(path: string, error: unknown, place: StoragePlace = {}): unknown {
  const code = fileErrorCode(error);
  const fault = place.faults?.[code] ?? FAULTS[code];
  return fault === undefined ? error : unwritable(path, fault, place, error);
}

/** Of an error of the file system, as in ENOENT; empty of any other. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
