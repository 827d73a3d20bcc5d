import { FidelisError } from './errors.js';
import { decodeHalf, encodeHalf } from './half-float.js';

/**
 * The logit frame: one NATS message, little-endian.
 *
 *     magic "FLGT" · u8 version · u8 codec (0 f32, 1 f16) · u16 part · u16 parts · u64 streamKey · u32 step ·
 *     u32 rows · u16 members · u32 classes · u64 input digest · values [rows][members][classes]
 *
 * `rows` counts the rows of this part. Parts of a step split its rows evenly (see partRows), so that a reader
 * knows where a part belongs without having seen the others.
 */
export const FRAME_MAGIC = 'FLGT';
export const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 4 + 1 + 1 + 2 + 2 + 8 + 4 + 4 + 2 + 4 + 8;

/** Largest values section of one message; with the header it stays far below NATS's default of 1 MiB. */
export const MAX_PART_BYTES = 512 * 1024;

export const CODECS = ['f32', 'f16'] as const;
export type Codec = (typeof CODECS)[number];
const CODEC_ID: Record<Codec, number> = { f32: 0, f16: 1 };
export const CODEC_BYTES: Record<Codec, number> = { f32: 4, f16: 2 };

/** What a frame says of itself before its values. */
export interface FrameHeader {
  readonly codec: Codec;
  readonly part: number;
  readonly parts: number;
  /** 16 hexadecimal characters. */
  readonly streamKey: string;
  readonly step: number;
  readonly rows: number;
  readonly members: number;
  readonly classes: number;
  /** First 8 bytes, as 16 hexadecimal characters, of SHA-256 over the float32 bytes of the whole step's input. */
  readonly inputDigest: string;
}

export interface LogitFrame extends FrameHeader {
  /** [rows][members][classes] */
  readonly values: Float32Array;
}

export function encodeFrame(frame: LogitFrame): Uint8Array {
  const count = frame.rows * frame.members * frame.classes;
  if (frame.values.length !== count) {
    throw new FidelisError(
      'FRAME.INVALID',
      `a frame of ${frame.rows}×${frame.members}×${frame.classes} needs ${count} values, got ${frame.values.length}`,
    );
  }
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + count * CODEC_BYTES[frame.codec]);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) bytes[i] = FRAME_MAGIC.charCodeAt(i);
  view.setUint8(4, FRAME_VERSION);
  view.setUint8(5, CODEC_ID[frame.codec]);
  view.setUint16(6, frame.part, true);
  view.setUint16(8, frame.parts, true);
  view.setBigUint64(10, BigInt(`0x${frame.streamKey}`), true);
  view.setUint32(18, frame.step, true);
  view.setUint32(22, frame.rows, true);
  view.setUint16(26, frame.members, true);
  view.setUint32(28, frame.classes, true);
  view.setBigUint64(32, BigInt(`0x${frame.inputDigest}`), true);
  writeValues(frame.values, frame.codec, view);
  return bytes;
}

/** @throws FidelisError FRAME.INVALID: not a frame, cut short, or of another version */
export function decodeFrame(bytes: Uint8Array): LogitFrame {
  const header = decodeFrameHeader(bytes);
  const { codec, rows, members, classes } = header;
  return { ...header, values: readValues(viewOf(bytes), codec, rows * members * classes) };
}

/**
 * For whoever passes frames on: their values stay bytes.
 *
 * @throws FidelisError FRAME.INVALID as `decodeFrame`
 */
export function decodeFrameHeader(bytes: Uint8Array): FrameHeader {
  if (bytes.length < FRAME_HEADER_BYTES) {
    throw invalid(`${bytes.length} bytes are fewer than the header's ${FRAME_HEADER_BYTES}`, bytes);
  }
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic !== FRAME_MAGIC) throw invalid(`magic is ${JSON.stringify(magic)}, not "${FRAME_MAGIC}"`, bytes);
  const view = viewOf(bytes);
  const version = view.getUint8(4);
  if (version !== FRAME_VERSION) throw invalid(`version ${version} is not ${FRAME_VERSION}`, bytes);
  const codec = CODECS[view.getUint8(5)];
  if (codec === undefined) throw invalid(`codec ${view.getUint8(5)} is unknown`, bytes);
  const part = view.getUint16(6, true);
  const parts = view.getUint16(8, true);
  if (part >= parts) throw invalid(`part ${part} of ${parts}`, bytes);
  const rows = view.getUint32(22, true);
  const members = view.getUint16(26, true);
  const classes = view.getUint32(28, true);
  const expected = FRAME_HEADER_BYTES + rows * members * classes * CODEC_BYTES[codec];
  if (bytes.length !== expected) {
    throw invalid(
      `${rows}×${members}×${classes} in ${codec} needs ${expected} bytes, got ${bytes.length}`,
      bytes,
    );
  }
  return {
    codec,
    part,
    parts,
    streamKey: hex64(view.getBigUint64(10, true)),
    step: view.getUint32(18, true),
    rows,
    members,
    classes,
    inputDigest: hex64(view.getBigUint64(32, true)),
  };
}

/** What a reader gets for `values`: f32 as they are, f16 rounded. An in-process teacher's logits pass through it too. */
export function throughCodec(values: Float32Array, codec: Codec): Float32Array {
  return codec === 'f32' ? values : values.map((value) => decodeHalf(encodeHalf(value)));
}

/**
 * Number of parts for a step, and the rows of each part but the last, which has what remains (perhaps fewer).
 * Fixed for a stream: sequence number = step · parts + part + 1.
 */
export function partition(
  rows: number,
  members: number,
  classes: number,
  codec: Codec,
): { parts: number; partRows: number } {
  const rowBytes = members * classes * CODEC_BYTES[codec];
  if (rowBytes > MAX_PART_BYTES) {
    throw new FidelisError(
      'FRAME.INVALID',
      `one row of ${members}×${classes} ${codec} exceeds ${MAX_PART_BYTES} bytes`,
    );
  }
  const partRows = Math.min(rows, Math.floor(MAX_PART_BYTES / rowBytes));
  return { parts: Math.ceil(rows / partRows), partRows };
}

function writeValues(values: Float32Array, codec: Codec, view: DataView): void {
  let offset = FRAME_HEADER_BYTES;
  if (codec === 'f32') {
    for (const value of values) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
    return;
  }
  for (const value of values) {
    view.setUint16(offset, encodeHalf(value), true);
    offset += 2;
  }
}

function readValues(view: DataView, codec: Codec, count: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] =
      codec === 'f32'
        ? view.getFloat32(FRAME_HEADER_BYTES + i * 4, true)
        : decodeHalf(view.getUint16(FRAME_HEADER_BYTES + i * 2, true));
  }
  return values;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function hex64(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

function invalid(what: string, bytes: Uint8Array): FidelisError {
  return new FidelisError('FRAME.INVALID', `not a logit frame: ${what}`, {
    details: { bytes: bytes.length },
  });
}
