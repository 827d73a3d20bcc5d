import { FidelisError } from '@fidelis/contracts';

/** The files disagree among themselves, or are not what the manifest says: which one, what is wrong, what to do. */
export function invalidArchive(
  file: string,
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): FidelisError {
  return new FidelisError('ARCHIVE.INVALID', `${file}: ${problem}`, {
    details: { file, ...details },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The archive is whole, and of something else than what it is to be used with. */
export function archiveMismatch(problem: string, details: Readonly<Record<string, unknown>>): FidelisError {
  return new FidelisError('ARCHIVE.MISMATCH', problem, { details });
}

const STORAGE_FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
};

/** What the file system has against writing there, as STORAGE.UNWRITABLE; anything else as it is. */
export function asUnwritable(directory: string, error: unknown): unknown {
  const fault = STORAGE_FAULTS[errorCode(error)];
  if (fault === undefined || FidelisError.is(error)) return error;
  return new FidelisError(
    'STORAGE.UNWRITABLE',
    `cannot write to ${directory}: ${fault}. Make room or give write access there, or choose another directory`,
    { details: { path: directory }, cause: error },
  );
}

/** Of an error of the file system, as in ENOENT; empty of any other. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Without the full stop: it becomes a part of a sentence. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.+$/, '');
}
