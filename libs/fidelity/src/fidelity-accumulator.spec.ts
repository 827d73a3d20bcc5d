import { FidelisError } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FidelityAccumulator, type FidelityResult } from './fidelity-accumulator.js';

function fidelity(teacher: readonly number[], student: readonly number[], classes: number): FidelityResult {
  const accumulator = new FidelityAccumulator(classes);
  accumulator.add({
    teacher: Float64Array.from(teacher),
    student: Float64Array.from(student),
    rows: teacher.length / classes,
  });
  return accumulator.result();
}

const logit = fc.double({ min: -50, max: 50, noNaN: true });
const row = fc.array(logit, { minLength: 4, maxLength: 4 });

describe('FidelityAccumulator', () => {
  it('has the KL divergence of teacher to student, in nats', () => {
    // p = (1/4, 3/4), q = (1/2, 1/2): KL(p‖q) = ln 2 − H(p) = ¾ ln 3 − ln 2.
    const { predictiveKl } = fidelity([0, Math.log(3)], [5, 5], 2);
    expect(predictiveKl).toBeCloseTo(0.75 * Math.log(3) - Math.LN2, 15);
    // The other way round it is another number: ½ ln(4/3).
    expect(fidelity([5, 5], [0, Math.log(3)], 2).predictiveKl).toBeCloseTo(0.5 * Math.log(4 / 3), 15);
  });

  it('is a mean over samples', () => {
    const result = fidelity([0, Math.log(3), 1, 1, 0, 9, 2, 1], [0, 0, 1, 1, 9, 0, 5, 4], 2);
    expect(result.top1Agreement).toBe(0.5);
    const third = 9 * Math.tanh(4.5);
    expect(result.predictiveKl).toBeCloseTo((0.75 * Math.log(3) - Math.LN2 + third) / 4, 14);
  });

  it('breaks ties by the first class', () => {
    expect(fidelity([1, 1, 0], [1, 0, 0], 3).top1Agreement).toBe(1);
    expect(fidelity([1, 1, 0], [0, 1, 0], 3).top1Agreement).toBe(0);
    expect(fidelity([0, 1, 1], [0, 0, 1], 3).top1Agreement).toBe(0);
  });

  it('is stable for logits of ±10,000', () => {
    expect(fidelity([1e4, -1e4], [1e4, -1e4], 2)).toEqual({ top1Agreement: 1, predictiveKl: 0 });
    expect(fidelity([1e4, -1e4], [-1e4, 1e4], 2)).toEqual({ top1Agreement: 0, predictiveKl: 2e4 });
  });

  it('counts a class that the teacher excludes as 0 and one that only the student excludes as ∞', () => {
    expect(fidelity([0, -Infinity], [0, 0], 2).predictiveKl).toBe(Math.LN2);
    expect(fidelity([0, -Infinity], [0, -Infinity], 2).predictiveKl).toBe(0);
    expect(fidelity([0, 0], [0, -Infinity], 2).predictiveKl).toBe(Infinity);
  });

  it('has a KL of at least 0, and of 0 for equal logits', () => {
    fc.assert(
      fc.property(row, row, (teacher, student) => {
        expect(fidelity(teacher, student, 4).predictiveKl).toBeGreaterThanOrEqual(0);
        expect(fidelity(teacher, teacher, 4)).toEqual({ top1Agreement: 1, predictiveKl: 0 });
      }),
    );
  });

  it('does not change when a constant is added to a row', () => {
    fc.assert(
      fc.property(row, row, fc.integer({ min: -1_000, max: 1_000 }), (teacher, student, constant) => {
        const moved = student.map((value) => value + constant);
        // Adding can make two logits equal that were not: only the divergence is continuous.
        expect(fidelity(teacher, moved, 4).predictiveKl).toBeCloseTo(
          fidelity(teacher, student, 4).predictiveKl,
          10,
        );
      }),
    );
  });

  it.each([
    [[0, NaN], [0, 0], 'teacher: row 0, column 1 is NaN'],
    [[0, 1, 2, 3], [0, 0, Infinity, 0], 'student: row 1, column 0 is Infinity'],
    [[0, 1, -Infinity, -Infinity], [0, 0, 0, 0], 'teacher: row 1 gives every class probability 0'],
    [[0, 1], [0, 0, 0], 'student: 3 values where 1 rows of 2 classes have 2'],
  ])('refuses %j against %j and stays as it was', (teacher, student, problem) => {
    const accumulator = new FidelityAccumulator(2);
    const add = (): void =>
      accumulator.add({
        teacher: Float32Array.from(teacher),
        student: Float32Array.from(student),
        rows: teacher.length / 2,
      });
    expect(add).toThrow(problem);
    expect(add).toThrow(FidelisError);
    expect(accumulator.n).toBe(0);
  });

  it('has no result without rows, no meaning with one class, and no sum with other classes', () => {
    const accumulator = new FidelityAccumulator(2);
    expect(() => accumulator.result()).toThrow('add at least one row');
    expect(() => new FidelityAccumulator(1)).toThrow('classes: 1');
    expect(() => accumulator.merge(new FidelityAccumulator(3))).toThrow('different classes');
  });
});
