import { FidelisError } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PairBatch } from './batch.js';
import { expectedCalibrationError, maximumCalibrationError } from './calibration-error.js';
import {
  EvaluationEngine,
  type EngineResult,
  type EngineSettings,
  type EngineState,
} from './evaluation-engine.js';
import type { InputKind } from './input.js';

const CLASSES = 3;
const SETTINGS: EngineSettings = { classes: CLASSES, labels: true, topK: 2 };

interface Row {
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly label: number;
}

const logits = fc.array(
  fc.double({ min: -30, max: 30, noNaN: true }).map((value) => Math.round(value * 64) / 64),
  { minLength: CLASSES, maxLength: CLASSES },
);
const rows = fc.array(fc.record({ teacher: logits, student: logits, label: fc.nat(CLASSES - 1) }), {
  minLength: 2,
  maxLength: 30,
});

function batchOf(samples: readonly Row[]): PairBatch {
  return {
    teacher: Float64Array.from(samples.flatMap(({ teacher }) => teacher)),
    student: Float64Array.from(samples.flatMap(({ student }) => student)),
    labels: Int32Array.from(samples.map(({ label }) => label)),
    rows: samples.length,
  };
}

function engineOf(samples: readonly Row[], settings = SETTINGS): EvaluationEngine {
  const engine = new EvaluationEngine(settings);
  engine.add(batchOf(samples));
  return engine;
}

/** Every number of a result, by path. */
function numbersOf(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => numbersOf(part, `${path}/${key}`));
}

function expectSame(actual: EngineResult, expected: EngineResult): void {
  const wanted = new Map(numbersOf(expected));
  const numbers = numbersOf(actual);
  expect(numbers.map(([path]) => path)).toEqual([...wanted.keys()]);
  for (const [path, value] of numbers) {
    const target = wanted.get(path) ?? NaN;
    const near = value === target || Math.abs(value - target) <= 1e-12 * Math.max(1, Math.abs(target));
    expect(near, `${path}: ${value} and ${target}`).toBe(true);
  }
}

describe('EvaluationEngine', () => {
  it('has the same result in any split and order, through merges and JSON', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.boolean(), (samples, at, labels) => {
        const settings = { ...SETTINGS, labels };
        const cut = at % (samples.length + 1);
        const batch = (part: readonly Row[]): PairBatch => {
          const { labels: _labels, ...rest } = batchOf(part);
          return labels ? batchOf(part) : rest;
        };
        const engine = (...parts: (readonly Row[])[]): EvaluationEngine => {
          const created = new EvaluationEngine(settings);
          for (const part of parts) created.add(batch(part));
          return created;
        };
        const whole = engine(samples).result();
        const saved = JSON.stringify(engine(samples.slice(cut).reverse()));
        const merged = EvaluationEngine.fromJSON(JSON.parse(saved) as EngineState);
        merged.merge(engine(samples.slice(0, cut)));
        expectSame(engine(samples.slice(0, cut), samples.slice(cut)).result(), whole);
        expectSame(merged.result(), whole);
      }),
    );
  });

  it('has sums by bin that can be added up: they make the calibration errors', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const engine = engineOf(samples);
        const { fidelity, teacher, student } = engine.result();
        const totals = engine.reliabilityTotals();
        expect(expectedCalibrationError(totals.fidelity)).toBe(fidelity.calibration.ece);
        expect(totals.teacher && expectedCalibrationError(totals.teacher)).toBe(teacher?.ece);
        expect(totals.student && maximumCalibrationError(totals.student)).toBe(student?.mce);
      }),
    );
    const unlabelled = new EvaluationEngine({ classes: CLASSES, labels: false });
    expect(Object.keys(unlabelled.reliabilityTotals())).toEqual(['fidelity']);
  });

  it('survives JSON to the bit, with logits of ±1e4 and impossible classes', () => {
    const wild = fc.array(fc.constantFrom(-1e4, 1e4, 0, -0, 0.1, -Infinity), {
      minLength: CLASSES,
      maxLength: CLASSES,
    });
    const possible = wild.filter((row) => row.some((value) => value > -Infinity));
    const wildRows = fc.array(
      fc.record({ teacher: possible, student: possible, label: fc.nat(CLASSES - 1) }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(wildRows, (samples) => {
        const state = engineOf(samples).toJSON();
        // toStrictEqual tells 0 from −0, and a number from null, which JSON makes of what it cannot say.
        expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      }),
    );
  });

  it('keeps every figure within its range', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const { fidelity, student } = engineOf(samples).result();
        expect(fidelity.predictiveKl).toBeGreaterThanOrEqual(0);
        expect(fidelity.reverseKl).toBeGreaterThanOrEqual(0);
        const { ece = NaN, mce, rmsce = NaN, brier, classwiseEce, nullEce, eceDebiased } = student ?? {};
        const { jensenShannon, totalVariation } = fidelity;
        for (const figure of [jensenShannon, totalVariation, ece, mce, rmsce, classwiseEce, nullEce]) {
          expect(figure).toBeGreaterThanOrEqual(0);
          expect(figure).toBeLessThanOrEqual(1);
        }
        expect(brier).toBeLessThanOrEqual(2);
        expect(rmsce).toBeGreaterThanOrEqual(ece - 1e-12);
        expect(mce).toBeGreaterThanOrEqual(rmsce - 1e-12);
        expect(eceDebiased).toBeLessThanOrEqual(ece + 1e-12);
        expect(fidelity.top5Agreement).toBeGreaterThanOrEqual(fidelity.top1Agreement);
      }),
    );
  });

  it('has no divergence between equals, and some between others', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const equal = engineOf(samples.map((row) => ({ ...row, student: row.teacher }))).result().fidelity;
        expect([equal.predictiveKl, equal.reverseKl, equal.totalVariation]).toEqual([0, 0, 0]);
        expect(equal.jensenShannon).toBeLessThan(1e-15);
        expect(equal.top1Agreement).toBe(1);
        const other = samples.map((row) => ({ ...row, teacher: [1, 0, 0], student: [0, 1, 0] }));
        expect(engineOf(other).result().fidelity.predictiveKl).toBeGreaterThan(0.1);
      }),
    );
  });

  it('has next to no Jensen–Shannon divergence where the smallest probabilities of float64 differ', () => {
    const tiny = Number.MIN_VALUE;
    const probs = { ...SETTINGS, labels: false, kind: 'probs' } as const;
    const engine = new EvaluationEngine(probs);
    engine.add({ teacher: Float64Array.of(1, tiny, 0), student: Float64Array.of(1, 0, tiny), rows: 1 });
    const { jensenShannon, totalVariation } = engine.result().fidelity;
    expect(jensenShannon).toBeLessThan(1e-300);
    expect(totalVariation).toBeLessThan(1e-300);
  });

  it('exchanges the divergences, and nothing symmetric, with teacher and student', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const { fidelity: there } = engineOf(samples).result();
        const swapped = samples.map(({ teacher, student, label }) => ({
          teacher: student,
          student: teacher,
          label,
        }));
        const { fidelity: back } = engineOf(swapped).result();
        expect(back.top1Agreement).toBe(there.top1Agreement);
        expect(back.cohenKappa).toBe(there.cohenKappa);
        expect(back.predictiveKl).toBe(there.reverseKl);
        expect(back.jensenShannon).toBeCloseTo(there.jensenShannon, 14);
        expect(back.totalVariation).toBe(there.totalVariation);
      }),
    );
  });

  it('does not see a constant that is added to the logits', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: -100, max: 100 }), (samples, constant) => {
        const shifted = samples.map((row) => ({
          ...row,
          student: row.student.map((value) => value + constant),
        }));
        expectSame(engineOf(shifted).result(), engineOf(samples).result());
      }),
    );
  });

  it('takes logits, their log-probabilities and their probabilities for the same', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const softmax = (row: readonly number[]): number[] => {
          const weights = row.map((value) => Math.exp(value - Math.max(...row)));
          const total = weights.reduce((a, b) => a + b, 0);
          return weights.map((weight) => weight / total);
        };
        const as = (kind: InputKind, map: (row: readonly number[]) => number[]): EngineResult['fidelity'] =>
          engineOf(
            samples.map((row) => ({ ...row, teacher: map(row.teacher), student: map(row.student) })),
            { ...SETTINGS, kind },
          ).result().fidelity;
        const wanted = as('logits', (row) => [...row]).predictiveKl;
        expect(as('probs', softmax).predictiveKl).toBeCloseTo(wanted, 10);
        expect(as('logprobs', (row) => softmax(row).map(Math.log)).predictiveKl).toBeCloseTo(wanted, 10);
      }),
    );
  });

  it('has no label metrics without labels', () => {
    const { labels: _labels, ...batch } = batchOf([{ teacher: [1, 0, 0], student: [0, 1, 0], label: 0 }]);
    const engine = new EvaluationEngine({ ...SETTINGS, labels: false });
    engine.add(batch);
    const result = engine.result();
    expect(result).not.toHaveProperty('teacher');
    expect(result.fidelity).not.toHaveProperty('agreementTeacherRight');
    expect(result.fidelity.perClass[0]).not.toHaveProperty('labels');
  });

  it('says null where a share has no rows, and where kappa has no value', () => {
    const { fidelity } = engineOf([{ teacher: [1, 0, 0], student: [1, 0, 0], label: 0 }]).result();
    expect(fidelity).toMatchObject({
      cohenKappa: null,
      agreementTeacherRight: 1,
      agreementTeacherWrong: null,
    });
  });

  it('stays finite for logits of ±1e4, and is infinite where the student excludes a class', () => {
    const far = engineOf([{ teacher: [1e4, -1e4, 0], student: [-1e4, 1e4, 0], label: 0 }]).result();
    expect(far.fidelity.predictiveKl).toBe(2e4);
    const excluded = engineOf([{ teacher: [0, 0, 0], student: [0, 0, -Infinity], label: 2 }]).result();
    expect(excluded.fidelity.predictiveKl).toBe(Infinity);
    expect(excluded.fidelity.reverseKl).toBeCloseTo(Math.log(1.5), 14);
    expect(excluded.student?.nll).toBe(Infinity);
  });

  const good: Row = { teacher: [0.5, 0.25, 0.25], student: [0.5, 0.25, 0.25], label: 0 };

  it.each<[string, InputKind, Row, string]>([
    ['NaN', 'logits', { ...good, student: [0, 0, NaN] }, 'student: row 1, column 2 is NaN'],
    ['+∞', 'logits', { ...good, teacher: [Infinity, 0, 0] }, 'teacher: row 1, column 0 is Infinity'],
    [
      'a row of −∞',
      'logits',
      { ...good, teacher: [-Infinity, -Infinity, -Infinity] },
      'teacher: row 1 gives every',
    ],
    ['a label out of range', 'logits', { ...good, label: 3 }, 'labels: row 1 is 3, but there are 3 classes'],
    [
      'a negative probability',
      'probs',
      { ...good, student: [1.2, -0.2, 0] },
      'student: row 1, column 1 is -0.2',
    ],
    ['a probability above 1', 'probs', { ...good, student: [1.2, 0, 0] }, 'student: row 1, column 0 is 1.2'],
    ['probabilities that sum to 0.9', 'probs', { ...good, student: [0.5, 0.2, 0.2] }, 'of row 1 sum to 0.89'],
    [
      'NaN in probabilities',
      'probs',
      { ...good, student: [0.5, NaN, 0.5] },
      'student: row 1, column 1 is NaN',
    ],
    [
      'no log-probability',
      'logprobs',
      { ...good, student: [0.5, -1, -1] },
      'teacher: row 0, column 0 is 0.5',
    ],
  ])('refuses %s and adds nothing', (_what, kind, bad, message) => {
    const engine = new EvaluationEngine({ ...SETTINGS, kind });
    const before = JSON.stringify(engine);
    const add = (): void => engine.add(batchOf([kind === 'logprobs' ? bad : good, bad]));
    expect(add).toThrow(message);
    expect(add).toThrow(FidelisError);
    expect(JSON.stringify(engine)).toBe(before);
  });

  it('refuses shapes that differ, zero samples and labels that are missing or not expected', () => {
    const engine = new EvaluationEngine(SETTINGS);
    const { labels: _labels, ...unlabelled } = batchOf([good]);
    expect(() => engine.result()).toThrow('add at least one row');
    expect(() => engine.add(unlabelled)).toThrow('labels: missing');
    expect(() => engine.add({ ...batchOf([good]), student: new Float64Array(4) })).toThrow(
      'student: 4 values',
    );
    expect(() => new EvaluationEngine({ ...SETTINGS, labels: false }).add(batchOf([good]))).toThrow(
      'without labels',
    );
    expect(() => engine.merge(new EvaluationEngine({ ...SETTINGS, bins: 10 }))).toThrow('different bins');
    expect(() => new EvaluationEngine({ ...SETTINGS, classes: 1 })).toThrow('classes: 1');
  });

  it('divides float16 probabilities by their sum', () => {
    const engine = new EvaluationEngine({ ...SETTINGS, kind: 'probs' });
    engine.add(batchOf([{ teacher: [0.7, 0.2, 0.1], student: [0.7005, 0.2, 0.0999], label: 0 }]));
    expect(engine.result().student?.nll).toBeCloseTo(-Math.log(0.7005 / 1.0004), 14);
  });
});
