import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FidelisError } from '@fidelis/contracts';

/** Whether a report can be written there, found out before the work is done. @throws FidelisError REQUEST.INVALID */
export async function assertWritable(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw refusal(
      path,
      `the folder ${folder} is not there or may not be written to. Create it, or name another`,
      error,
    );
  }
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory() === true) throw refusal(path, 'is a folder. Give the name of a file');
}

/** @throws FidelisError STORAGE.UNWRITABLE */
export async function writeReport(path: string, html: string): Promise<void> {
  try {
    await writeFile(path, html);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FidelisError('STORAGE.UNWRITABLE', `${path}: the report cannot be written: ${reason}`, {
      cause: error,
    });
  }
}

function refusal(path: string, problem: string, cause?: unknown): FidelisError {
  return new FidelisError('REQUEST.INVALID', `--html ${path}: ${problem}`, { cause, details: { path } });
}
