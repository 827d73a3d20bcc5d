import { FidelisError } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EvaluationAccumulator,
  type EvaluationBatch,
  type EvaluationResult,
  type EvaluationState,
} from './evaluation-accumulator.js';
import { FidelityAccumulator } from './fidelity-accumulator.js';
import { GeneralisationAccumulator, type GeneralisationSettings } from './generalisation-accumulator.js';

const CLASSES = 3;
const SETTINGS: GeneralisationSettings = { classes: CLASSES, bins: 15, convention: 'torchmetrics' };

interface Row {
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly label: number;
}

const logits = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), {
  minLength: CLASSES,
  maxLength: CLASSES,
});
const row = fc.record({ teacher: logits, student: logits, label: fc.nat(CLASSES - 1) });
const rows = fc.array(row, { minLength: 2, maxLength: 40 });

function batchOf(samples: readonly Row[]): EvaluationBatch {
  return {
    teacher: Float32Array.from(samples.flatMap(({ teacher }) => teacher)),
    student: Float32Array.from(samples.flatMap(({ student }) => student)),
    labels: Uint8Array.from(samples.map(({ label }) => label)),
    rows: samples.length,
  };
}

function accumulate(samples: readonly Row[], settings = SETTINGS): EvaluationAccumulator {
  const accumulator = new EvaluationAccumulator(settings);
  accumulator.add(batchOf(samples));
  return accumulator;
}

function numbersOf({ n, fidelity, teacher, student }: EvaluationResult): number[] {
  const generalisation = [teacher, student].flatMap(({ accuracy, nll, ece }) => [accuracy, nll, ece]);
  return [n, fidelity.top1Agreement, fidelity.predictiveKl, ...generalisation];
}

function expectSame(actual: EvaluationResult, expected: EvaluationResult): void {
  const wanted = numbersOf(expected);
  numbersOf(actual).forEach((value, index) => {
    const target = wanted[index] ?? NaN;
    expect(Math.abs(value - target)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(target)));
  });
}

describe('EvaluationAccumulator', () => {
  it('has what each metric family has alone', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const batch = batchOf(samples);
        const fidelity = new FidelityAccumulator(CLASSES);
        fidelity.add(batch);
        const teacher = new GeneralisationAccumulator(SETTINGS);
        teacher.add({ ...batch, logits: batch.teacher });
        const student = new GeneralisationAccumulator(SETTINGS);
        student.add({ ...batch, logits: batch.student });
        expect(accumulate(samples).result()).toEqual({
          n: samples.length,
          fidelity: fidelity.result(),
          teacher: teacher.result(),
          student: student.result(),
          reliability: { teacher: teacher.diagram(), student: student.diagram() },
        });
      }),
    );
  });

  it('has the same result however the rows are split, and through JSON', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.constantFrom('torchmetrics', 'gnosis'), (samples, at, convention) => {
        const settings = { ...SETTINGS, convention };
        const cut = at % (samples.length + 1);
        const whole = accumulate(samples, settings).result();
        const batches = accumulate(samples.slice(0, cut), settings);
        batches.add(batchOf(samples.slice(cut)));
        const saved = JSON.stringify(accumulate(samples.slice(cut), settings));
        const merged = EvaluationAccumulator.fromJSON(JSON.parse(saved) as EvaluationState);
        merged.merge(accumulate(samples.slice(0, cut), settings));
        expectSame(batches.result(), whole);
        expectSame(merged.result(), whole);
        expect(merged.result().reliability.student.map(({ count }) => count)).toEqual(
          whole.reliability.student.map(({ count }) => count),
        );
      }),
    );
  });

  it('has the same result in any order of rows', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        expectSame(accumulate([...samples].reverse()).result(), accumulate(samples).result());
      }),
    );
  });

  it('keeps 1e-12 over many rows in awkward order', () => {
    const sample = (i: number): Row => ({
      teacher: [Math.sin(i) * (i % 11 === 0 ? 1e4 : 3), Math.sin(2 * i), 0],
      student: [Math.sin(i + 0.1) * (i % 11 === 0 ? 1e4 : 3), Math.sin(2 * i + 0.1), 0],
      label: i % CLASSES,
    });
    const samples = Array.from({ length: 30_000 }, (_, i) => sample(i));
    const pieces = new EvaluationAccumulator(SETTINGS);
    for (let end = samples.length; end > 0; end -= 7) {
      pieces.merge(accumulate(samples.slice(Math.max(0, end - 7), end)));
    }
    expectSame(pieces.result(), accumulate(samples).result());
  });

  it('does not change the other one in a merge', () => {
    const other = accumulate([{ teacher: [1, 0, 0], student: [0, 1, 0], label: 0 }]);
    const before = JSON.stringify(other);
    accumulate([{ teacher: [0, 0, 5], student: [0, 1, 0], label: 2 }]).merge(other);
    expect(JSON.stringify(other)).toBe(before);
  });

  it('has a state whose size does not depend on the rows', () => {
    const one = accumulate([{ teacher: [1, 0, 0], student: [0, 1, 0], label: 0 }]).toJSON();
    expect(one.teacher.reliability.count).toHaveLength(16);
    const twice = accumulate(
      new Array<Row>(500).fill({ teacher: [1, 0, 0], student: [0, 1, 0], label: 0 }),
    ).toJSON();
    expect(twice.teacher.reliability.count).toHaveLength(16);
    expect(twice.fidelity.n).toBe(500);
  });

  it('refuses a bad batch as a whole', () => {
    const accumulator = accumulate([{ teacher: [1, 0, 0], student: [0, 1, 0], label: 0 }]);
    const before = JSON.stringify(accumulator);
    const good = { teacher: [1, 0, 0], student: [0, 1, 0], label: 0 };
    const add = (bad: Row) => (): void => accumulator.add(batchOf([good, bad]));
    expect(add({ ...good, student: [0, 0, NaN] })).toThrow('student: row 1, column 2 is NaN');
    expect(add({ ...good, teacher: [Infinity, 0, 0] })).toThrow('teacher: row 1, column 0 is Infinity');
    expect(add({ ...good, label: 3 })).toThrow('labels: row 1 is 3, but there are 3 classes');
    expect(add({ ...good, label: 3 })).toThrow(FidelisError);
    expect(JSON.stringify(accumulator)).toBe(before);
  });

  it('has no result without rows', () => {
    expect(() => new EvaluationAccumulator(SETTINGS).result()).toThrow('add at least one row');
  });
});
