import { describe, expect, it } from 'vitest';
import { largeNotice } from './large-notice.js';

const students = [{ name: 's', text: 's.npy', table: {} as never }];

describe('largeNotice', () => {
  it('says how much memory many samples take, and how to do with less', () => {
    const settings = { fast: false, perSample: true };
    expect(largeNotice({ rows: 25_000_000, students }, settings)).toMatch(
      /^25,000,000 samples: this will hold about \d+\.\d GiB\. --intervals none .*--fast/,
    );
    expect(largeNotice({ rows: 100_000, students }, settings)).toBeUndefined();
    expect(largeNotice({ rows: 25_000_000, students }, { fast: true, perSample: false })).toBeUndefined();
  });
});
