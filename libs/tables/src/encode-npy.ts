const ALIGNMENT = 64;
/** Magic, version 1.0 and the length of the header. */
const PREFIX_BYTES = 10;

/** The bytes that numpy.save writes before the numbers of a float32 array of this shape, in C order: format version 1.0. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const axes = shape.length === 1 ? `${shape[0] ?? 0},` : shape.join(', ');
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${axes}), }`;
  // The numbers begin at a multiple of 64 bytes; the header ends with a line break.
  const length = Math.ceil((PREFIX_BYTES + description.length + 1) / ALIGNMENT) * ALIGNMENT - PREFIX_BYTES;
  const header = Buffer.alloc(PREFIX_BYTES);
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(length, PREFIX_BYTES - 2);
  return Buffer.concat([header, Buffer.from(`${description.padEnd(length - 1)}\n`, 'latin1')]);
}

/** The bytes that numpy.save writes for a float32 array of this shape. */
export function encodeNpy(values: Float32Array, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  return Buffer.concat([npyHeader(shape), float32Bytes(values)]);
}

/** The other way round, of bytes that `encodeNpy` wrote; a new array. */
export function npyFloats(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const header = new DataView(bytes.buffer, bytes.byteOffset).getUint16(PREFIX_BYTES - 2, true);
  // A copy that begins where its buffer does: a Buffer's own slice does not.
  return new Float32Array(new Uint8Array(bytes.subarray(PREFIX_BYTES + header)).buffer);
}

/** Little-endian, where they are. */
export function float32Bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
