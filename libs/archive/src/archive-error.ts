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

/** Without the full stop: it becomes a part of a sentence. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.+$/, '');
}
