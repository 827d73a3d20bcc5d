import { open } from 'node:fs/promises';
import { tableError } from './table-error.js';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Bytes that are read in ascending ranges: a file, or a member of an archive. */
export interface ByteSource {
  /** For errors. */
  readonly name: string;
  readonly length: number;
  /**
   * One buffer per range, in order, each in an ArrayBuffer of its own from its first byte.
   *
   * @param ranges ascending and disjoint
   * @throws FidelisError REQUEST.INVALID where the bytes end before a range does
   */
  read(ranges: Iterable<ByteRange>): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** A file, read at positions. */
export async function fileSource(path: string): Promise<ByteSource> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return { name: path, length: size, read: (ranges) => readFileRanges(path, ranges) };
  } finally {
    await file.close();
  }
}

async function* readFileRanges(
  path: string,
  ranges: Iterable<ByteRange>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const file = await open(path, 'r');
  try {
    for (const { start, end } of ranges) {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw endsEarly(path, start + filled, end);
        filled += bytesRead;
      }
      yield bytes;
    }
  } finally {
    await file.close();
  }
}

/** Ranges of bytes that come in one stream from the start: what lies between them is skipped. */
export async function* readStreamRanges(
  name: string,
  stream: AsyncIterable<Uint8Array>,
  ranges: Iterable<ByteRange>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const iterator = stream[Symbol.asyncIterator]();
  let piece: Uint8Array = new Uint8Array(0);
  let pieceEnd = 0;
  const advance = async (needed: number): Promise<void> => {
    const next = await iterator.next();
    if (next.done === true) throw endsEarly(name, pieceEnd, needed);
    piece = next.value;
    pieceEnd += piece.length;
  };
  try {
    for (const { start, end } of ranges) {
      const bytes = new Uint8Array(end - start);
      for (let at = start; at < end;) {
        while (at >= pieceEnd) await advance(end);
        const pieceStart = pieceEnd - piece.length;
        const taken = piece.subarray(at - pieceStart, Math.min(end, pieceEnd) - pieceStart);
        bytes.set(taken, at - start);
        at += taken.length;
      }
      yield bytes;
    }
  } finally {
    await iterator.return?.();
  }
}

function endsEarly(name: string, actual: number, expected: number): Error {
  return tableError(
    name,
    `ends after ${actual} bytes where byte ${expected} is needed: it is truncated, or it shrank while it was read. Write it again`,
  );
}
