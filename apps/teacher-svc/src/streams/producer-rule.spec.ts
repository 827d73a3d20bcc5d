import type { ProducerFingerprint, StreamProducer } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { addSteps, checkProducer } from './producer-rule.js';

const cpu: ProducerFingerprint = {
  backend: 'tensorflow',
  backendVersion: '2.18',
  threads: 1,
  platform: 'linux-x64, A',
};
const other = { ...cpu, platform: 'linux-x64, B' };
const by = (fingerprint: ProducerFingerprint, steps: number, instance = 'teacher-0'): StreamProducer => ({
  instance,
  fingerprint,
  steps,
  at: '2026-01-01T00:00:00.000Z',
});
const stream = { key: 'ab'.repeat(8), producers: [by(cpu, 40)], continues: true, allowChange: false };

describe('a stream that is gone on with', () => {
  it('must be so by a producer of the same fingerprint, whatever its name', () => {
    expect(() => checkProducer(stream, { ...cpu })).not.toThrow();
    expect(() => checkProducer(stream, other)).toThrow(
      expect.objectContaining({
        code: 'STREAM.PRODUCER_CHANGED',
        message: expect.stringMatching(
          /linux-x64, A.*linux-x64, B.*FIDELIS_ALLOW_PRODUCER_CHANGE/s,
        ) as unknown,
        details: { key: stream.key, before: cpu, now: other },
      }) as Error,
    );
  });

  it.each([
    ['it is allowed', { allowChange: true }],
    ['nobody has learned from it', { continues: false }],
    ['nobody knows who scored it', { producers: [] }],
  ])('may be so by any if %s', (_, given) => {
    expect(() => checkProducer({ ...stream, ...given }, other)).not.toThrow();
  });
});

describe('the producers of a stream', () => {
  it('are counted by name and fingerprint, in the order in which they came', () => {
    let producers: StreamProducer[] = [];
    for (const next of [
      by(cpu, 0),
      by(cpu, 3),
      by(cpu, 4),
      by(cpu, 5, 'teacher-1'),
      by(other, 6, 'teacher-1'),
    ])
      producers = addSteps(producers, next);
    expect(producers).toEqual([by(cpu, 7), by(cpu, 5, 'teacher-1'), by(other, 6, 'teacher-1')]);
  });
});
