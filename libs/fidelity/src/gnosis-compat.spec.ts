import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GnosisCompat, type GnosisBatch, type GnosisCompatState } from './gnosis-compat.js';

function batchOf(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  kind?: 'same',
): GnosisBatch {
  const student = Float64Array.from(rows.flat());
  const teacher = kind === 'same' ? student : student.map((value, index) => value + Math.sin(index));
  return { teacher, student, labels: Int32Array.from(labels), rows: rows.length };
}

/** Whole batches of 3 classes, some with rows beyond the labels. */
const batches = fc.array(
  fc
    .array(fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 6,
    })
    .chain((rows) =>
      fc
        .array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: rows.length })
        .map((labels) => batchOf(rows, labels)),
    ),
  { minLength: 2, maxLength: 5 },
);

function resultOf(parts: readonly GnosisBatch[]): number[] {
  const compat = new GnosisCompat({ classes: 3 });
  for (const part of parts) compat.add(part);
  return figuresOf(compat);
}

function figuresOf(compat: GnosisCompat): number[] {
  const { nll, ece, predictiveKl } = compat.result();
  return [nll, ece, predictiveKl];
}

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((figure, index) => {
    const other = expected[index] ?? NaN;
    expect(Math.abs(figure - other)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(other)));
  });
}

describe('GnosisCompat', () => {
  const row = [Math.log(3), 0];

  it('pairs every row with every label of its batch', () => {
    const compat = new GnosisCompat({ classes: 2 });
    compat.add(batchOf([row, row], [0, 1]));
    // True NLL of the first batch: the same here, since both rows are equal; the short second batch weighs as much.
    compat.add(batchOf([row], [0]));
    const first = -(Math.log(0.75) + Math.log(0.25)) / 2;
    expect(compat.result().nll).toBeCloseTo((first - Math.log(0.75)) / 2, 14);
  });

  it('depends on the composition of the batches, as the published figure does', () => {
    const rows = [
      [2, 0],
      [0, 2],
    ];
    const together = new GnosisCompat({ classes: 2 });
    together.add(batchOf(rows, [0, 1]));
    const apart = new GnosisCompat({ classes: 2 });
    rows.forEach((each, index) => apart.add(batchOf([each], [index])));
    expect(together.result().nll).toBeGreaterThan(apart.result().nll + 0.9);
  });

  it('divides the ECE by rows without a label too, and leaves them out of the NLL only', () => {
    const compat = new GnosisCompat({ classes: 2 });
    compat.add({
      teacher: Float64Array.from([row, [0, 0], [0, 0], [0, 0]].flat()),
      student: Float64Array.from([row, row, row, row].flat()),
      labels: Int32Array.of(0),
      rows: 4,
    });
    const { ece, nll, predictiveKl } = compat.result();
    expect(ece).toBeCloseTo(0.25 / 4, 14);
    expect(nll).toBeCloseTo(-Math.log(0.75), 14);
    expect(predictiveKl).toBeCloseTo((3 / 4) * 0.5 * (Math.log(0.5 / 0.75) + Math.log(0.5 / 0.25)), 14);
  });

  it('has a confidence of exactly 0.5 in no bin, and one of exactly 0.1 in two', () => {
    const half = new GnosisCompat({ classes: 2 });
    half.add(batchOf([[0, 0]], [1], 'same'));
    expect(half.result().ece).toBe(0);
    const tenth = new GnosisCompat({ classes: 10 });
    tenth.add(batchOf([new Array<number>(10).fill(0)], [1], 'same'));
    expect(tenth.result().ece).toBeCloseTo(0.2, 14);
  });

  it('is infinite where a row excludes any label of its batch', () => {
    const compat = new GnosisCompat({ classes: 2, kind: 'logprobs' });
    const student = Float64Array.of(0, -Infinity, Math.log(0.5), Math.log(0.5));
    compat.add({ teacher: student, student, labels: Int32Array.of(0, 1), rows: 2 });
    expect(compat.result()).toMatchObject({ nll: Infinity, predictiveKl: 0 });
  });

  it('does not depend on the order of the batches, or on which accumulator has which', () => {
    fc.assert(
      fc.property(batches, fc.nat(), (parts, at) => {
        const whole = resultOf(parts);
        expectNear(resultOf(parts.toReversed()), whole);
        const first = new GnosisCompat({ classes: 3 });
        const second = new GnosisCompat({ classes: 3 });
        parts.forEach((part, index) => (index <= at % parts.length ? first : second).add(part));
        first.merge(second);
        expectNear(figuresOf(first), whole);
      }),
    );
  });

  it('goes on from its JSON as if it had not been interrupted', () => {
    fc.assert(
      fc.property(batches, (parts) => {
        const [head, ...tail] = parts;
        const saved = new GnosisCompat({ classes: 3 });
        if (head !== undefined) saved.add(head);
        const restored = GnosisCompat.fromJSON(JSON.parse(JSON.stringify(saved)) as GnosisCompatState);
        for (const part of tail) restored.add(part);
        expect(figuresOf(restored)).toEqual(resultOf(parts));
      }),
    );
  });

  it.each([
    ['no labels', batchOf([row], []), 'labels: the gnosis-compat figures need them'],
    ['more labels than rows', batchOf([row], [0, 1]), 'labels: 2 values for 1 rows'],
    ['a label out of range', batchOf([row], [2]), 'labels: row 0 is 2, but there are 2 classes'],
    ['NaN', batchOf([[NaN, 0]], [0]), 'row 0, column 0 is NaN'],
  ])('refuses %s and adds nothing', (_, batch, message) => {
    const compat = new GnosisCompat({ classes: 2 });
    expect(() => compat.add(batch)).toThrow(message);
    expect(compat.n).toBe(0);
  });

  it('refuses a merge of different settings, a damaged state and a result of nothing', () => {
    const compat = new GnosisCompat({ classes: 2 });
    expect(() => compat.merge(new GnosisCompat({ classes: 3 }))).toThrow('different classes');
    expect(() => compat.result()).toThrow('there is no result yet');
    compat.add(batchOf([row], [0]));
    const state = compat.toJSON();
    expect(() => GnosisCompat.fromJSON({ ...state, rows: 0 })).toThrow('rows');
    expect(() => GnosisCompat.fromJSON({ ...state, bins: { ...state.bins, correct: [1] } })).toThrow(
      'the saved bins are damaged: 1 where 10 belong',
    );
  });
});
