import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { float32Bytes, npyHeader } from '@fidelis/tables';

/**
 * A .npy file that is there whole or not at all: it grows beside its place, hidden, and is renamed when it is complete. What is no file
 * (a pipe, `/dev/stdout`) is written to as it is.
 */
export class OutputArray {
  private constructor(
    private readonly path: string,
    /** Where it ends up: what a link leads to stays what the link leads to. */
    private readonly target: string,
    private readonly draft: string | undefined,
    private readonly file: FileHandle,
  ) {}

  /** @throws FidelisError REQUEST.INVALID if it cannot be written there, before anything is computed */
  static async create(path: string, shape: readonly number[], input: string): Promise<OutputArray> {
    try {
      const there = await stat(path).catch(() => undefined);
      if (there?.isDirectory() === true) throw new Error('it is a directory. Give the name of a file');
      if (there !== undefined && (await isSameFile(path, input))) {
        throw new Error('it is the input. Give another name');
      }
      const target = there === undefined ? path : await realpath(path);
      const draft =
        there === undefined || there.isFile()
          ? join(dirname(target), `.${basename(target)}.${randomUUID()}`)
          : undefined;
      const file = await open(draft ?? target, draft === undefined ? 'w' : 'wx');
      const output = new OutputArray(path, target, draft, file);
      await output.append(npyHeader(shape));
      return output;
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  async write(values: Float32Array): Promise<void> {
    try {
      await this.append(float32Bytes(values));
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** Puts the complete file into its place. */
  async complete(): Promise<void> {
    try {
      if (this.draft === undefined) return await this.file.close();
      await this.file.sync();
      await this.file.close();
      await rename(this.draft, this.target);
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** What was in its place before is there still. Nothing happens once it is complete. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined);
    if (this.draft !== undefined) await rm(this.draft, { force: true });
  }

  private async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.file.write(bytes, at);
      at += bytesWritten;
    }
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)));
  return a === b;
}

function unwritable(path: string, error: unknown): FidelisError {
  if (FidelisError.is(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new FidelisError('REQUEST.INVALID', `${path}: the logits cannot be written there: ${reason}`, {
    details: { path },
    cause: error,
  });
}
