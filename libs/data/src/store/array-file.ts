import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import type { StoredArray } from './dataset-manifest.js';

type Elements = Uint8Array | Uint16Array | Int32Array;

/** A single read takes less than 2 GiB. */
const READ_BYTES = 2 ** 30;

export function bytesOf(array: Elements): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Writes an array to a new file and makes sure that it is on the disk. */
export async function writeArray(directory: string, file: string, array: Elements): Promise<StoredArray> {
  const bytes = bytesOf(array);
  await writeFile(path.join(directory, file), bytes, { flag: 'wx', flush: true });
  const type = array instanceof Uint8Array ? 'u8' : array instanceof Uint16Array ? 'u16' : 'i32';
  return { file, type, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * Reads an array into memory of its own, once, without a copy.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file, if it is not there or not as long as it should be
 */
export async function readArray(directory: string, stored: StoredArray): Promise<Elements> {
  const file = path.join(directory, stored.file);
  const refuse = (problem: string, cause?: unknown): never => {
    throw new FidelisError('DATASET.CORRUPT', `${file} ${problem}: remove the dataset and add it again`, {
      details: { file },
      cause,
    });
  };
  const handle = await open(file, 'r').catch((error: unknown) => refuse('cannot be read', error));
  try {
    const { size } = await handle.stat();
    if (size !== stored.bytes) return refuse(`has ${size} bytes, and should have ${stored.bytes}`);
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(READ_BYTES, size - at), at);
      if (bytesRead === 0) return refuse(`ended at byte ${at} while it was read`);
      at += bytesRead;
    }
    return {
      u8: () => bytes,
      u16: () => new Uint16Array(bytes.buffer),
      i32: () => new Int32Array(bytes.buffer),
    }[stored.type]();
  } finally {
    await handle.close();
  }
}
