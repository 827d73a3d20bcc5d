import { encodeFrame, logitSubject, type SequenceViewSpec } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { epochBytes, stepBytes, type StreamShape } from './stream-size.js';

const view: SequenceViewSpec = {
  kind: 'sequence',
  dataset: { name: 'mnist', digest: 'da'.repeat(32) },
  split: 'train',
  augmentation: [],
  seed: 0,
  batchSize: 128,
};
const shape: StreamShape = {
  key: '0123456789abcdef',
  view,
  codec: 'f16',
  members: 2,
  classes: 10,
  parts: 1,
};

describe('the size of a stream', () => {
  it('is that of its frames and a little for each message', () => {
    const frame = encodeFrame({
      ...{ codec: 'f16', part: 0, parts: 1, step: 0, rows: 128, members: 2, classes: 10 },
      streamKey: shape.key,
      inputDigest: '00'.repeat(8),
      values: new Float32Array(128 * 20),
    });
    const overhead = stepBytes(shape) - frame.length;
    expect(overhead).toBeGreaterThan(logitSubject(shape.key).length);
    expect(overhead).toBeLessThan(200);
  });

  it('is asked for by the epoch, or less if less is wanted', () => {
    // 60,000 rows in 469 batches, of which the last has 96 rows.
    const epoch = 469 * stepBytes(shape) - 32 * 20 * 2;
    expect(epochBytes(shape, 5_000)).toBe(epoch);
    expect(epochBytes(shape, 10)).toBe(10 * stepBytes(shape));
  });
});
