import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bcaInterval } from './bootstrap-interval.js';
import { bootstrap, bootstrapSteps, type BootstrapSettings } from './bootstrap.js';
import { drawResample } from './resampling.js';
import { functionalOf, meanOf, ratioOf, sharedOf, type Statistic } from './statistic.js';
import { threefrySource } from './uniform-source.js';

const skewed = Float64Array.from({ length: 200 }, (_, index) => -Math.log((index + 0.5) / 200));

function meanFunctional(values: ArrayLike<number>): ReturnType<typeof functionalOf> {
  return functionalOf(values.length, (counts) => {
    let sum = 0;
    let total = 0;
    counts.forEach((count, index) => {
      sum += count * (values[index] ?? 0);
      total += count;
    });
    return sum / total;
  });
}

describe('drawResample', () => {
  it('draws as many as there are samples, whatever the number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(), (samples, resample) => {
        const counts = new Uint32Array(samples);
        drawResample(threefrySource(1, 1), resample, counts);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(samples);
      }),
    );
  });

  it('draws every sample equally often: χ² over the cells within five standard deviations', () => {
    const cells = 50;
    const totals = new Float64Array(cells);
    const counts = new Uint32Array(cells);
    const resamples = 4000;
    for (let resample = 0; resample < resamples; resample++) {
      drawResample(threefrySource(11, 1), resample, counts);
      counts.forEach((count, cell) => totals.fill((totals[cell] ?? 0) + count, cell, cell + 1));
    }
    const chiSquared = totals.reduce((sum, total) => sum + (total - resamples) ** 2 / resamples, 0);
    expect(Math.abs(chiSquared - (cells - 1))).toBeLessThan(5 * Math.sqrt(2 * (cells - 1)));
  });

  it('draws a word again that would favour the first samples', () => {
    // 2^32 = 3·1431655765 + 1: the last word has no sample.
    const words = [0xffffffff, 0, 1431655765, 2863311530];
    const source = {
      fill: (_stream: number, counter: number, out: Uint32Array) =>
        out.set([words[2 * counter] ?? 0, words[2 * counter + 1] ?? 0]),
    };
    const counts = new Uint32Array(3);
    drawResample(source, 0, counts);
    expect([...counts]).toEqual([1, 1, 1]);
  });
});

describe('bootstrap', () => {
  it('gives the same interval for the same seed and another for another', () => {
    const of = (seed: number) => bootstrap({ mean: meanOf(skewed) }, { seed, resamples: 200 }).mean;
    expect(of(5)).toEqual(of(5));
    expect(of(5).lo).not.toBe(of(6).lo);
  });

  it('gives a statistic the same interval alone and beside others', () => {
    const settings = { seed: 5, resamples: 200 };
    const alone = bootstrap({ mean: meanOf(skewed) }, settings);
    const beside = bootstrap({ other: ratioOf(skewed, skewed), mean: meanOf(skewed) }, settings);
    expect(beside.mean).toEqual(alone.mean);
  });

  it('covers the true mean about as often as it says', () => {
    const trials = 300;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const words = new Uint32Array(2);
      const values = Float64Array.from({ length: 60 }, (_, index) => {
        threefrySource(trial, 77).fill(0, index, words);
        return ((words[0] ?? 0) + 0.5) / 2 ** 32;
      });
      const { mean } = bootstrap({ mean: meanOf(values) }, { seed: trial, resamples: 400, level: 0.9 });
      if (mean.lo <= 0.5 && 0.5 <= mean.hi) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.84);
    expect(covered / trials).toBeLessThan(0.96);
  });

  it('has of a function the interval of the closed form, up to rounding', () => {
    const settings = { seed: 2, resamples: 300 };
    const { closed, general } = bootstrap(
      { closed: meanOf(skewed), general: meanFunctional(skewed) },
      settings,
    );
    expect(general.lo).toBeCloseTo(closed.lo, 10);
    expect(general.hi).toBeCloseTo(closed.hi, 10);
  });

  it('accelerates from groups of samples about as from single ones', () => {
    const many = Float64Array.from(
      { length: 5000 },
      (_, index) => -Math.log(((index * 2741) % 5000) / 5000 + 1e-4),
    );
    const settings = { seed: 2, resamples: 500 };
    const { closed, general } = bootstrap({ closed: meanOf(many), general: meanFunctional(many) }, settings);
    expect(Math.abs(general.lo - closed.lo)).toBeLessThan(0.1 * closed.standardError);
    expect(Math.abs(general.hi - closed.hi)).toBeLessThan(0.1 * closed.standardError);
  });

  it('asks no statistic for its figure of no samples, which leaving the only one out would be', () => {
    const only = functionalOf(1, (counts) => {
      if (counts[0] === 0) throw new Error('no samples');
      return 3;
    });
    expect(bootstrap({ only }, { seed: 1, resamples: 20 }).only).toMatchObject({ estimate: 3, lo: 3, hi: 3 });
  });

  it.each(['percentile', 'bca'] as const)('has no width where nothing varies: %s', (method) => {
    const settings = { seed: 1, resamples: 50, method };
    expect(bootstrap({ all: meanOf([1, 1, 1]) }, settings).all).toMatchObject({
      lo: 1,
      hi: 1,
      standardError: 0,
    });
    expect(bootstrap({ one: meanOf([0.3]) }, settings).one).toMatchObject({
      lo: 0.3,
      hi: 0.3,
      estimate: 0.3,
    });
  });

  it('takes the sums that figures share once for each resample, with the intervals of figures on their own', () => {
    const settings = { seed: 3, resamples: 50 };
    let sum = 0;
    let calls = 0;
    const shared = sharedOf(
      skewed.length,
      (counts) => {
        calls++;
        sum = skewed.reduce((total, value, index) => total + value * (counts[index] ?? 0), 0);
      },
      { mean: () => sum / skewed.length, square: () => (sum / skewed.length) ** 2 },
    );
    const { mean, square } = bootstrap(shared, { ...settings, method: 'percentile' });
    expect(calls).toBe(1 + 50);
    const alone = bootstrap({ mean: meanOf(skewed) }, { ...settings, method: 'percentile' }).mean;
    expect([mean.lo, mean.hi]).toEqual([expect.closeTo(alone.lo, 12), expect.closeTo(alone.hi, 12)]);
    expect(square.hi).toBeCloseTo(alone.hi ** 2, 3);
    expect(bootstrap(shared, settings).mean.lo).toBeGreaterThan(0);
  });

  it('goes in steps that tell how many resamples are done', () => {
    const steps = bootstrapSteps({ mean: meanOf(skewed) }, { seed: 1, resamples: 3 });
    expect([steps.next().value, steps.next().value, steps.next().value]).toEqual([1, 2, 3]);
  });

  it('counts the resamples on which a ratio has no denominator and leaves them out', () => {
    const { ratio } = bootstrap({ ratio: ratioOf([1, 0, 0, 0], [1, 0, 0, 0]) }, { seed: 1, resamples: 500 });
    expect(ratio.undefinedResamples).toBeGreaterThan(100);
    expect(ratio).toMatchObject({ estimate: 1, lo: 1, hi: 1 });
  });

  it('stays finite where resampling moves a figure to one side only', () => {
    const bounds = bcaInterval(Float64Array.of(2, 3, 4), 1, Float64Array.of(1, 1, 2), 0.95);
    expect(bounds.lo).toBeGreaterThanOrEqual(2);
    expect(bounds.hi).toBeLessThanOrEqual(4);
    expect(bounds.lo).toBeLessThanOrEqual(bounds.hi);
  });

  it.each<[string, Record<string, Statistic>, Partial<BootstrapSettings>, RegExp]>([
    ['no statistic', {}, {}, /at least one statistic/],
    ['different numbers of samples', { a: meanOf([1]), b: meanOf([1, 2]) }, {}, /a has 1, b has 2/],
    ['a figure that is not defined', { a: ratioOf([1], [0]) }, {}, /a is NaN/],
    ['a level of 95', { a: meanOf([1]) }, { level: 95 }, /0\.95/],
    ['no resamples', { a: meanOf([1]) }, { resamples: 0 }, /resamples/],
    ['a fractional seed', { a: meanOf([1]) }, { seed: 0.5 }, /seed/],
  ])('refuses %s', (_, statistics, settings, message) => {
    expect(() => bootstrap(statistics, { seed: 1, ...settings })).toThrow(message);
  });

  it.each([
    [() => meanOf([]), /at least one sample/],
    [() => meanOf([0, NaN]), /number 1 is NaN/],
    [() => ratioOf([1], [1, 2]), /1 and 2/],
    [() => functionalOf(0, () => 0), /at least one sample/],
  ])('refuses bad columns: %s', (make, message) => {
    expect(make).toThrow(message);
  });
});
