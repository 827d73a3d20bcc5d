import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotaPlan, type StoredStream } from './quota-plan.js';

function stream(key: string, given: Partial<StoredStream> & { readonly bytes?: number } = {}): StoredStream {
  const { bytes = 1_000, ...rest } = given;
  return {
    key,
    state: 'complete',
    parts: 1,
    stored: { firstStep: 0, endStep: 100, bytes, hasGap: false },
    attached: false,
    need: undefined,
    lastUsedAt: new Date(0),
    ...rest,
  };
}
const reading = (key: string, need: number | undefined): StoredStream =>
  stream(key, { state: 'producing', attached: true, need });

describe('what makes room', () => {
  it('is whole streams that nobody reads, least recently used first, and no more than is wanted', () => {
    const streams = [
      stream('new', { lastUsedAt: new Date(3) }),
      stream('old', { lastUsedAt: new Date(1) }),
      stream('older-but-read', { attached: true, need: 0 }),
      stream('unfinished', { state: 'producing' }),
      stream('given-up', { state: 'failed', lastUsedAt: new Date(2) }),
    ];
    expect(quotaPlan(streams, 1_500)).toEqual({ evict: ['old', 'given-up'], purge: [], freedBytes: 2_000 });
  });

  it('is then what lies before every checkpoint of a sequence', () => {
    const streams = [stream('idle'), reading('late', 10), reading('far', 60), reading('table', 0)];
    expect(quotaPlan(streams, 1_500)).toEqual({
      evict: ['idle'],
      purge: [{ key: 'far', parts: 1, beforeStep: 60 }],
      freedBytes: 1_600,
    });
    expect(quotaPlan(streams, 9_999).purge.map(({ key }) => key)).toEqual(['far', 'late']);
  });

  it('is all of a stream whose runs have read it', () => {
    expect(quotaPlan([reading('read', undefined)], 1).purge).toEqual([
      { key: 'read', parts: 1, beforeStep: 100 },
    ]);
  });

  it('is never a step that a run may still read', () => {
    const arbitrary = fc.record({
      attached: fc.boolean(),
      need: fc.option(fc.integer({ min: 0, max: 120 }), { nil: undefined }),
      state: fc.constantFrom('opening', 'producing', 'complete', 'failed', 'expired'),
      bytes: fc.integer({ min: 0, max: 5_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(arbitrary, { maxLength: 8 }),
        fc.integer({ min: 1, max: 30_000 }),
        (given, wanted) => {
          const streams = given.map((one, index) => stream(`${index}`, one as Partial<StoredStream>));
          const { evict, purge } = quotaPlan(streams, wanted);
          for (const one of streams) {
            if (one.attached) expect(evict).not.toContain(one.key);
            const purged = purge.find(({ key }) => key === one.key);
            if (purged !== undefined) expect(purged.beforeStep).toBeLessThanOrEqual(one.need ?? 100);
          }
        },
      ),
    );
  });
});
