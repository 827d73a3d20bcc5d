import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowKernel } from './row-kernel.js';

const kernel = new RowKernel();
const view = new Float64Array(kernel.reserve(65_536));

function computed(name: 'exponentials' | 'logarithms', values: readonly number[]): number[] {
  view.fill(-1);
  view.set(values);
  kernel.functions[name](0, 32_768, values.length);
  return [...view.subarray(4096, 4096 + values.length)];
}

/** How many float64 lie between two of the same sign. */
function ulps(a: number, b: number): number {
  if (a === b) return 0;
  const [first = 0n, second = 0n] = new BigInt64Array(Float64Array.of(a, b).buffer);
  return Math.abs(Number(first - second));
}

function furthest(name: 'exponentials' | 'logarithms', values: readonly number[]): number {
  const reference = name === 'exponentials' ? Math.exp : Math.log;
  let most = 0;
  computed(name, values).forEach((value, index) => {
    most = Math.max(most, ulps(value, reference(values[index] ?? NaN)));
  });
  return most;
}

/** Bits in the middle of a float64's 64, so that every binade is as likely as another. */
const anyPositive = fc
  .bigInt({ min: 0n, max: 0x7fefffffffffffffn })
  .map((bits) => new Float64Array(BigInt64Array.of(bits).buffer)[0] ?? 0);

describe('the exponential of the kernel', () => {
  it('is within 1 ulp of Math.exp from 0 down to where it vanishes, subnormal results too', () => {
    for (const from of [0, -0.3, -1, -700, -707, -740]) {
      const values = Array.from({ length: 2000 }, (_, index) => from - (index * 40) / 2000);
      expect(furthest('exponentials', values)).toBeLessThanOrEqual(1);
    }
    fc.assert(
      fc.property(fc.array(anyPositive, { minLength: 2, maxLength: 40 }), (values) => {
        expect(
          furthest(
            'exponentials',
            [...values, 0, 0].map((value) => -value),
          ),
        ).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('has its limits exactly', () => {
    expect(computed('exponentials', [0, -0, -Infinity, -1e4, -745.2, -1e-320])).toEqual([1, 1, 0, 0, 0, 1]);
    expect(computed('exponentials', [-744.5, -1])).toEqual([5e-324, Math.exp(-1)]);
    expect(computed('exponentials', [NaN, -1])).toEqual([NaN, Math.exp(-1)]);
  });
});

describe('the logarithm of the kernel', () => {
  it('is within 1 ulp of Math.log for every finite number from 0 on', () => {
    for (const around of [0.5, 0.7071, 1, 1.4142, 2]) {
      const values = Array.from({ length: 2000 }, (_, index) => around * (0.98 + index * 2e-5));
      expect(furthest('logarithms', values)).toBeLessThanOrEqual(1);
    }
    fc.assert(
      fc.property(fc.array(anyPositive, { minLength: 2, maxLength: 40 }), (values) => {
        expect(furthest('logarithms', values)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('has its limits exactly', () => {
    expect(computed('logarithms', [0, 1, 5e-324, Number.MAX_VALUE])).toEqual([
      -Infinity,
      0,
      Math.log(5e-324),
      Math.log(Number.MAX_VALUE),
    ]);
  });
});
