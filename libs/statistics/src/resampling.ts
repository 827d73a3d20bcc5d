import { type ResampleCounts } from './statistic.js';
import { type UniformSource } from './uniform-source.js';

const WORDS = 2 ** 32;

/**
 * Draws resample number `resample` of n samples with replacement: counts of a multinomial distribution with n draws of equal
 * probability 1/n. Exactly uniform: a word beyond the largest multiple of n is drawn again.
 *
 * @param counts overwritten; its length is n, 1…2^31
 */
export function drawResample(source: UniformSource, resample: number, counts: ResampleCounts): void {
  const samples = counts.length;
  const wordsPerSample = Math.floor(WORDS / samples);
  const words = new Uint32Array(2);
  counts.fill(0);
  let drawn = 0;
  for (let counter = 0; drawn < samples; counter++) {
    source.fill(resample, counter, words);
    const first = Math.floor((words[0] ?? 0) / wordsPerSample);
    if (first < samples) {
      counts[first] = (counts[first] ?? 0) + 1;
      drawn++;
    }
    const second = Math.floor((words[1] ?? 0) / wordsPerSample);
    if (second < samples && drawn < samples) {
      counts[second] = (counts[second] ?? 0) + 1;
      drawn++;
    }
  }
}
