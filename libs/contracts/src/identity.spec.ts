import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inputDigest, predictionKey, sha256Hex, streamKey } from './identity.js';
import type { ViewSpec } from './view-spec.js';

const teacherDigest = 'ab'.repeat(32);
const view: ViewSpec = {
  kind: 'sequence',
  dataset: { name: 'mnist', digest: 'cd'.repeat(32) },
  split: 'train',
  augmentation: [{ kind: 'random-shift', maxPixels: 2 }],
  seed: 7,
  batchSize: 128,
};

describe('streamKey', () => {
  it('is this for this stream, today and in every later version', () => {
    const canonical =
      `{"codec":"f16","schemaVersion":1,"teacherDigest":"${teacherDigest}",` +
      `"view":{"augmentation":[{"kind":"random-shift","maxPixels":2}],"batchSize":128,` +
      `"dataset":{"digest":"${'cd'.repeat(32)}","name":"mnist"},"kind":"sequence","seed":7,"split":"train"}}`;
    const key = createHash('sha256').update(canonical).digest('hex').slice(0, 16);
    expect(streamKey(teacherDigest, view, 'f16')).toBe(key);
    expect(key).toBe('f5c64c44c82a62f1');
  });

  it('does not depend on the order of keys, nor on absent members', () => {
    const turned: ViewSpec = {
      batchSize: 128,
      seed: 7,
      augmentation: [{ maxPixels: 2, kind: 'random-shift' }],
      split: 'train',
      subset: undefined,
      dataset: { digest: 'cd'.repeat(32), name: 'mnist' },
      kind: 'sequence',
    };
    expect(streamKey(teacherDigest, turned, 'f16')).toBe(streamKey(teacherDigest, view, 'f16'));
  });

  it('differs with anything that the logits depend on', () => {
    const keys = [
      streamKey(teacherDigest, view, 'f16'),
      streamKey(teacherDigest, view, 'f32'),
      streamKey('ac'.repeat(32), view, 'f16'),
      streamKey(teacherDigest, { ...view, seed: 8 }, 'f16'),
      streamKey(teacherDigest, { ...view, batchSize: 64 }, 'f16'),
      streamKey(teacherDigest, { ...view, augmentation: [] }, 'f16'),
      streamKey(teacherDigest, { ...view, split: 'test' }, 'f16'),
      streamKey(teacherDigest, { kind: 'table', dataset: view.dataset, split: 'train' }, 'f16'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('predictionKey', () => {
  it('tells runs, sets and steps apart', () => {
    const keys = [
      predictionKey('r-1', 'test', 1),
      predictionKey('r-2', 'test', 1),
      predictionKey('r-1', 'train-clean', 1),
      predictionKey('r-1', 'test', 2),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keys.every((key) => /^[0-9a-f]{16}$/.test(key))).toBe(true);
  });
});

describe('inputDigest', () => {
  it('hashes the float32 bytes of the batch and not of what lies around it', () => {
    const around = Float32Array.of(9, 1, -1, 0.5, 9);
    const batch = around.subarray(1, 4);
    const bytes = Buffer.alloc(12);
    [1, -1, 0.5].forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
    expect(inputDigest(batch)).toBe(sha256Hex(bytes).slice(0, 16));
  });

  it('changes with any bit', () => {
    expect(inputDigest(Float32Array.of(0))).not.toBe(inputDigest(Float32Array.of(-0)));
  });
});
