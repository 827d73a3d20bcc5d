import { FidelisError } from '@fidelis/contracts';

/** An error about a file: what is wrong, where, and how to fix it. */
export function tableError(path: string, problem: string, cause?: unknown): FidelisError {
  return new FidelisError('REQUEST.INVALID', `${path}: ${problem}`, { details: { path }, cause });
}

/** @throws FidelisError REQUEST.INVALID about the file, unless the condition holds */
export function requireTable(condition: boolean, path: string, problem: string): asserts condition {
  if (!condition) throw tableError(path, problem);
}

/** What a library or the file system threw about a file, as an error about that file. */
export function asTableError(path: string, what: string, error: unknown): FidelisError {
  if (FidelisError.is(error)) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT')
    return tableError(path, 'there is no such file. Check the path and the working directory', error);
  if (code === 'EACCES' || code === 'EPERM')
    return tableError(path, 'may not be read. Check its permissions', error);
  if (code === 'EISDIR') return tableError(path, 'is a directory. Give a file', error);
  const reason = error instanceof Error ? error.message : String(error);
  return tableError(path, `is no readable ${what}: ${reason}. Write it again`, error);
}
