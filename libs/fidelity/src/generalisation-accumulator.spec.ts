import { FidelisError } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import type { BinConvention } from './bin-edges.js';
import { GeneralisationAccumulator } from './generalisation-accumulator.js';

function accumulate(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  { bins = 15, convention = 'torchmetrics' }: { bins?: number; convention?: BinConvention } = {},
): GeneralisationAccumulator {
  const accumulator = new GeneralisationAccumulator({ classes: rows[0]?.length ?? 0, bins, convention });
  accumulator.add({
    logits: Float64Array.from(rows.flat()),
    labels: Int32Array.from(labels),
    rows: rows.length,
  });
  return accumulator;
}

/** Two classes, confidence 3/4 in the first. */
const THREE_QUARTERS = [Math.log(3), 0];
const HALF = [0, 0];
const CERTAIN = [0, -1_000];

describe('GeneralisationAccumulator', () => {
  it('has the accuracy, NLL and ECE of a hand-computed example', () => {
    // The example of torchmetrics' multiclass_calibration_error: 0.2 with three bins.
    const probabilities = [
      [0.25, 0.2, 0.55],
      [0.55, 0.05, 0.4],
      [0.1, 0.3, 0.6],
      [0.9, 0.05, 0.05],
    ];
    const logits = probabilities.map((row) => row.map(Math.log));
    const { accuracy, nll, ece } = accumulate(logits, [0, 1, 2, 0], { bins: 3 }).result();
    expect(accuracy).toBe(0.5);
    expect(nll).toBeCloseTo(-(Math.log(0.25) + Math.log(0.05) + Math.log(0.6) + Math.log(0.9)) / 4, 14);
    // Bins: {.55 wrong, .55 wrong, .6 right} and {.9 right}.
    expect(ece).toBeCloseTo(0.2, 7);
  });

  it('puts a confidence on an edge into the upper bin for torchmetrics, the lower for gnosis', () => {
    const rows = [HALF, THREE_QUARTERS];
    // Together: |1 − (0.5 + 0.75)| / 2. Apart: (|1 − 0.5| + |0 − 0.75|) / 2.
    expect(accumulate(rows, [0, 1], { bins: 2, convention: 'torchmetrics' }).result().ece).toBeCloseTo(
      0.125,
      14,
    );
    expect(accumulate(rows, [0, 1], { bins: 2, convention: 'gnosis' }).result().ece).toBeCloseTo(0.625, 14);
  });

  it('gives a confidence of exactly 1 a bin of its own for torchmetrics, the last one for gnosis', () => {
    const rows = [CERTAIN, THREE_QUARTERS];
    const torchmetrics = accumulate(rows, [1, 0], { bins: 2, convention: 'torchmetrics' });
    expect(torchmetrics.result().ece).toBeCloseTo(0.625, 14);
    expect(torchmetrics.diagram()).toEqual([
      { lower: 0, upper: 0.5, count: 0, accuracy: null, confidence: null },
      { lower: 0.5, upper: 1, count: 1, accuracy: 1, confidence: expect.closeTo(0.75, 14) as number },
      { lower: 1, upper: 1, count: 1, accuracy: 0, confidence: 1 },
    ]);
    const gnosis = accumulate(rows, [1, 0], { bins: 2, convention: 'gnosis' });
    expect(gnosis.result().ece).toBeCloseTo(0.375, 14);
    expect(gnosis.diagram()).toEqual([
      { lower: 0, upper: 0.5, count: 0, accuracy: null, confidence: null },
      { lower: 0.5, upper: 1, count: 2, accuracy: 0.5, confidence: expect.closeTo(0.875, 14) as number },
    ]);
  });

  it('compares a confidence with the edges in float32, as the reference implementations do', () => {
    // 1 − 2·10⁻⁹ is 1 in float32: it is in the bin for exactly 1, with its own value.
    const diagram = accumulate([[0, -20]], [0], { bins: 4 }).diagram();
    expect(diagram.at(-1)).toMatchObject({ count: 1, confidence: 1 / (1 + Math.exp(-20)) });
  });

  it('puts a uniform row of ten classes on the edge 0.1 of ten bins', () => {
    const uniform = [new Array<number>(10).fill(3)];
    const at = (convention: BinConvention): number =>
      accumulate(uniform, [0], { bins: 10, convention })
        .diagram()
        .findIndex(({ count }) => count === 1);
    expect(at('torchmetrics')).toBe(1);
    expect(at('gnosis')).toBe(0);
  });

  it('predicts the first of equal logits', () => {
    expect(accumulate([[2, 2, 1]], [0]).result().accuracy).toBe(1);
    expect(accumulate([[2, 2, 1]], [1]).result().accuracy).toBe(0);
  });

  it('is stable for logits of ±10,000, and exactly 0 where nothing is lost', () => {
    expect(accumulate([[1e4, -1e4]], [1]).result()).toEqual({ accuracy: 0, nll: 2e4, ece: 1 });
    expect(accumulate([[1e4, -1e4]], [0]).result()).toEqual({ accuracy: 1, nll: 0, ece: 0 });
  });

  it('has an infinite NLL where a label had probability 0', () => {
    const accumulator = accumulate([[0, -Infinity], HALF], [1, 0]);
    expect(accumulator.result()).toMatchObject({ accuracy: 0.5, nll: Infinity });
    const restored = GeneralisationAccumulator.fromJSON(
      JSON.parse(JSON.stringify(accumulator)) as ReturnType<GeneralisationAccumulator['toJSON']>,
    );
    expect(restored.result().nll).toBe(Infinity);
  });

  it.each([
    [[[0, NaN]], [0], 'logits: row 0, column 1 is NaN'],
    [[HALF, HALF], [0, 2], 'labels: row 1 is 2, but there are 2 classes'],
    [[HALF, HALF], [-1, 0], 'labels: row 0 is -1'],
    [[HALF], [0, 1], 'labels: 2 values for 1 rows'],
  ])('refuses logits %j with labels %j', (rows, labels, problem) => {
    expect(() => accumulate(rows, labels)).toThrow(problem);
    expect(() => accumulate(rows, labels)).toThrow(FidelisError);
  });

  it('refuses settings that have no meaning, and to mix different ones', () => {
    expect(() => accumulate([HALF], [0], { bins: 0 })).toThrow('bins: 0');
    expect(() => accumulate([HALF], [0], { convention: 'guo' as BinConvention })).toThrow(
      'convention: "guo" is unknown: use torchmetrics or gnosis',
    );
    const accumulator = accumulate([HALF], [0], { bins: 10 });
    expect(() => accumulator.merge(accumulate([HALF], [0], { bins: 15 }))).toThrow('different bins');
    const other = accumulate([HALF], [0], { bins: 10, convention: 'gnosis' });
    expect(() => accumulator.merge(other)).toThrow('different convention');
    expect(accumulator.n).toBe(1);
  });

  it('refuses a damaged state', () => {
    const state = accumulate([HALF], [0], { bins: 3 }).toJSON();
    const { reliability } = state;
    expect(() => GeneralisationAccumulator.fromJSON({ ...state, n: -1 })).toThrow('n: -1');
    expect(() =>
      GeneralisationAccumulator.fromJSON({ ...state, reliability: { ...reliability, count: [1] } }),
    ).toThrow('the saved bins are damaged: 1 where 4 belong');
  });
});
