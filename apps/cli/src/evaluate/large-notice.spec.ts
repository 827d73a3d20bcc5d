import { describe, expect, it } from 'vitest';
import { largeNotice } from './large-notice.js';

const students = [{ name: 's', text: 's.npy', table: {} as never }];
const intervals = { fast: false, perSample: true, intervals: 'bca' } as const;

describe('largeNotice', () => {
  it('says how much memory many samples take, and how to do with less', () => {
    expect(largeNotice({ rows: 25_000_000, students }, intervals)).toMatch(
      /^25,000,000 samples: this will hold about 10\.9 GiB\. --intervals none .*--fast/,
    );
    const tests = { ...intervals, intervals: 'none' } as const;
    expect(largeNotice({ rows: 25_000_000, students }, tests)).toMatch(/about 3\.5 GiB\. --fast/);
  });

  it('says nothing of what fits anywhere', () => {
    expect(largeNotice({ rows: 100_000, students }, intervals)).toBeUndefined();
    const fast = { fast: true, perSample: false, intervals: 'none' } as const;
    expect(largeNotice({ rows: 25_000_000, students }, fast)).toBeUndefined();
  });
});
