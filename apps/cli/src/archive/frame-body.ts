import { decodeFrame, errorWireSchema, FidelisError, type LogitFrame } from '@fidelis/contracts';

const LENGTH_BYTES = 4;
const OPENING_BRACE = 0x7b;

/**
 * Frames of the body of `GET /streams/<key>/frames`: records of a u32 length, little-endian, and that many bytes; an empty one ends it.
 *
 * @throws FidelisError GATEWAY.UNAVAILABLE where the body was cut off; what the gateway failed with on the way; FRAME.INVALID
 */
export async function* framesOfBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<LogitFrame> {
  let held = new Uint8Array(0);
  for await (const chunk of body) {
    held = joined(held, chunk);
    let at = 0;
    while (held.length - at >= LENGTH_BYTES) {
      const length = new DataView(held.buffer, held.byteOffset + at).getUint32(0, true);
      if (length === 0) return;
      if (held.length - at - LENGTH_BYTES < length) break;
      const record = held.slice(at + LENGTH_BYTES, at + LENGTH_BYTES + length);
      at += LENGTH_BYTES + length;
      yield frameOf(record);
    }
    held = held.subarray(at);
  }
  throw new FidelisError(
    'GATEWAY.UNAVAILABLE',
    'the frames ended in the middle: the gateway went away. Nothing was written; try again',
  );
}

function frameOf(record: Uint8Array): LogitFrame {
  // A frame begins with FLGT: this is the JSON of what went wrong.
  if (record[0] === OPENING_BRACE) {
    throw FidelisError.fromWire(errorWireSchema.parse(JSON.parse(new TextDecoder().decode(record))));
  }
  return decodeFrame(record);
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
