import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import { FRAME_VERSION, type Codec } from './logit-frame.js';
import type { ViewSpec } from './view-spec.js';

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * Identity of a stream: first 16 hexadecimal characters of sha-256 over the canonical JSON of
 * {teacher digest, view spec, codec, schema version}. The number of steps is not part of it: a stream can grow.
 */
export function streamKey(teacherDigest: string, view: ViewSpec, codec: Codec): string {
  return sha256Hex(canonicalJson({ teacherDigest, view, codec, schemaVersion: FRAME_VERSION })).slice(0, 16);
}

/** Identity of one set's predictions by one model, in the `streamKey` field of prediction frames. */
export function predictionKey(runId: string, set: string, step: number): string {
  return sha256Hex(canonicalJson({ runId, set, step })).slice(0, 16);
}

/** First 8 bytes of SHA-256, as 16 hexadecimal characters, over the float32 bytes of a batch as the network sees it. */
export function inputDigest(batch: Float32Array): string {
  const bytes = new Uint8Array(batch.buffer, batch.byteOffset, batch.byteLength);
  return sha256Hex(bytes).slice(0, 16);
}
