const MAGIC = 0x184d2204;
const MIN_MATCH = 4;

/**
 * Decompresses one LZ4 frame (LZ4 frame format 1.6), with blocks that refer to earlier ones and without checking its checksums.
 *
 * @throws RangeError where the frame is not one or ends early
 */
export function decompressLz4Frame(input: Uint8Array): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new RangeError('no LZ4 frame');
  const flags = view.getUint8(4);
  const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
  // Magic, flags, block size, then the content's size and the dictionary's number where the flags say so, and a byte of checksum.
  let at = 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  const output = new GrowingBytes(input.length * 3);
  for (;;) {
    const header = view.getUint32(at, true);
    at += 4;
    if (header === 0) return output.bytes();
    const length = header & 0x7fffffff;
    if (at + length > input.length) throw new RangeError('an LZ4 block ends early');
    const block = input.subarray(at, at + length);
    if (header > 0x7fffffff) output.append(block);
    else decompressBlock(block, output);
    at += length + blockChecksum;
  }
}

function decompressBlock(block: Uint8Array, output: GrowingBytes): void {
  let at = 0;
  const next = (): number => {
    const byte = block[at++];
    if (byte === undefined) throw new RangeError('an LZ4 block ends within a sequence');
    return byte;
  };
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble !== 15) return length;
    for (;;) {
      const byte = next();
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < block.length) {
    const token = next();
    const literals = lengthFrom(token >>> 4);
    if (at + literals > block.length) throw new RangeError('LZ4 literals end early');
    output.append(block.subarray(at, at + literals));
    at += literals;
    // The last sequence of a block has literals only.
    if (at === block.length) return;
    const offset = next() | (next() << 8);
    output.repeat(offset, lengthFrom(token & 0x0f) + MIN_MATCH);
  }
}

/** Bytes appended to an array that doubles. */
class GrowingBytes {
  private content: Uint8Array;
  private length = 0;

  constructor(capacity: number) {
    this.content = new Uint8Array(Math.max(1024, capacity));
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.content.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends `count` bytes from `offset` bytes before the end; what is appended may itself be repeated. */
  repeat(offset: number, count: number): void {
    if (offset === 0 || offset > this.length) throw new RangeError('an LZ4 match lies before the beginning');
    this.reserve(count);
    const { content, length } = this;
    for (let index = length; index < length + count; index++) content[index] = content[index - offset] ?? 0;
    this.length += count;
  }

  bytes(): Uint8Array {
    return this.content.subarray(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.content.length) return;
    const larger = new Uint8Array(Math.max(this.content.length * 2, this.length + count));
    larger.set(this.content.subarray(0, this.length));
    this.content = larger;
  }
}
