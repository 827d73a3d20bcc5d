import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

export interface SafetensorsContent {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
/** The reference implementation refuses longer headers, and so protects itself from a length that is not one. */
const MAX_HEADER_BYTES = 100_000_000;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const metadataSchema = z.record(z.string(), z.string());
const headerSchema = z.record(z.string(), z.unknown());

/**
 * The safetensors format: u64 length of the header, JSON header (padded with spaces to a multiple of 8), then the values, little-endian,
 * without gaps. Same content, same bytes: the digest of a file names its weights.
 */
export function encodeSafetensors({ tensors, metadata }: SafetensorsContent): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) {
    header['__metadata__'] = Object.fromEntries(
      Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const begin = end;
    end += values.length * 4;
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + end).fill(
    0x20,
    LENGTH_BYTES,
    LENGTH_BYTES + headerBytes,
  );
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headerBytes;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

export interface SafetensorsOptions {
  /** Tensors of these names are passed over, whatever they hold. @default none */
  readonly ignore?: RegExp;
}

/** @throws FidelisError WEIGHTS.INVALID: not safetensors, cut short, or a tensor that is not float32 */
export function decodeSafetensors(
  bytes: Uint8Array,
  { ignore }: SafetensorsOptions = {},
): SafetensorsContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, dataOffset } = readHeader(bytes, view);
  const { __metadata__: rawMetadata = {}, ...entries } = header;
  const metadata = metadataSchema.safeParse(rawMetadata);
  if (!metadata.success) throw invalid('its metadata is not text by name');
  const wanted = Object.entries(entries).filter(([name]) => ignore?.test(name) !== true);
  const tensors = wanted.map(([name, raw]): NamedTensor => {
    const entry = entrySchema.safeParse(raw);
    if (!entry.success) throw invalid(`the entry of tensor "${name}" is malformed`);
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = entry.data;
    if (dtype !== 'F32') throw invalid(`tensor "${name}" is ${dtype}, not F32: save it as float32`);
    const size = shape.reduce((product, length) => product * length, 1);
    if (end - begin !== size * 4)
      throw invalid(`tensor "${name}" has ${end - begin} bytes for the shape [${shape.join(', ')}]`);
    if (dataOffset + end > bytes.length)
      throw invalid(`tensor "${name}" ends beyond the file: it was cut short`);
    return { name, shape, values: readFloats(bytes, dataOffset + begin, size) };
  });
  return { tensors, metadata: metadata.data };
}

function readHeader(
  bytes: Uint8Array,
  view: DataView,
): { header: Record<string, unknown>; dataOffset: number } {
  if (bytes.length < LENGTH_BYTES) throw invalid(`${bytes.length} bytes are too few`);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || LENGTH_BYTES + length > bytes.length) {
    throw invalid(`its header would have ${length} bytes`);
  }
  const text = new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  try {
    return { header: headerSchema.parse(JSON.parse(text)), dataOffset: LENGTH_BYTES + length };
  } catch (error) {
    throw invalid('its header is not JSON', error);
  }
}

/** The bytes as they are: every machine that Node.js and TensorFlow run on is little-endian, as the format. */
function readFloats(bytes: Uint8Array, offset: number, count: number): Float32Array {
  const values = new Float32Array(count);
  new Uint8Array(values.buffer).set(bytes.subarray(offset, offset + count * 4));
  return values;
}

function invalid(problem: string, cause?: unknown): FidelisError {
  return new FidelisError('WEIGHTS.INVALID', `not a file of weights: ${problem}`, { cause });
}
