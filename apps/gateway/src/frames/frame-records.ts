import type { StoredFrame } from '@fidelis/bus';
import { FidelisError } from '@fidelis/contracts';

/** The body of `GET /streams/<key>/frames`: records of a u32 length, little-endian, and that many bytes. */
export const FRAMES_MEDIA_TYPE = 'application/vnd.fidelis.frames';

/**
 * Each record is a frame as it is on the bus; after the last one comes an empty record, so that a body that was cut off is known as such.
 * What fails on the way is told in the last record, as the JSON of the error.
 */
export async function* frameRecords(
  frames: AsyncIterable<Pick<StoredFrame, 'bytes'>>,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const { bytes } of frames) yield record(bytes);
    yield record(new Uint8Array(0));
  } catch (error) {
    yield record(Buffer.from(JSON.stringify(FidelisError.from(error).toWire())));
  }
}

function record(bytes: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(4 + bytes.length);
  new DataView(prefixed.buffer).setUint32(0, bytes.length, true);
  prefixed.set(bytes, 4);
  return prefixed;
}
