import type { StoredFrame } from '@fidelis/bus';
import { decodeFrame, encodeFrame } from '@fidelis/contracts';

export const PARTS = 2;

/** Of a step, with values that tell which it is. */
export function stepFrames(key: string, step: number): Uint8Array[] {
  return Array.from({ length: PARTS }, (_, part) =>
    encodeFrame({
      codec: 'f32',
      part,
      parts: PARTS,
      streamKey: key,
      step,
      rows: 1,
      members: 1,
      classes: 3,
      inputDigest: '00000000000000ff',
      values: valuesOf(step, part),
    }),
  );
}

export function valuesOf(step: number, part: number): Float32Array {
  return Float32Array.of(step, part, step * PARTS + part);
}

/** [step, part, values …] of a frame, to compare. */
export function contentOf({ step, part, bytes }: StoredFrame): number[] {
  return [step, part, ...decodeFrame(bytes).values];
}

/** What a reader of these steps must get. */
export function contentsOf(fromStep: number, toStep: number): number[][] {
  const contents: number[][] = [];
  for (let step = fromStep; step < toStep; step++) {
    for (let part = 0; part < PARTS; part++) contents.push([step, part, ...valuesOf(step, part)]);
  }
  return contents;
}
