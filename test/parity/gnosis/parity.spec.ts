import { EvaluationEngine, GnosisCompat, type GnosisBatch, type GnosisCompatResult } from '@fidelis/fidelity';
import { describe, expect, it } from 'vitest';
import { readVectors, type GnosisVector } from './vectors.js';

/** The published code computes in float32: relative, and absolute for figures near 0, whose terms are rounded near 1. */
const RELATIVE = 1e-6;
const ABSOLUTE = 2e-7;

function compatOf({ classes, batches }: GnosisVector): GnosisCompatResult {
  const compat = new GnosisCompat({ classes });
  for (const batch of batches) compat.add(batch);
  return compat.result();
}

function trueFigures({ classes, batches }: GnosisVector): { nll: number; predictiveKl: number; ece: number } {
  const engine = new EvaluationEngine({ classes, labels: true, bins: 10, convention: 'gnosis' });
  for (const batch of batches) engine.add(labelledPart(batch, classes));
  const { student, fidelity } = engine.result();
  return { nll: student?.nll ?? NaN, predictiveKl: fidelity.predictiveKl, ece: student?.ece ?? NaN };
}

function labelledPart({ teacher, student, labels }: GnosisBatch, classes: number): GnosisBatch {
  const values = labels.length * classes;
  return {
    teacher: teacher.subarray(0, values),
    student: student.subarray(0, values),
    labels,
    rows: labels.length,
  };
}

function expectNear(actual: number, published: number | 'Infinity', what: string): void {
  const allowed = Math.max(ABSOLUTE, RELATIVE * Math.abs(Number(published)));
  expect(
    Math.abs(actual - Number(published)),
    `${what}: ${actual}, published ${published}`,
  ).toBeLessThanOrEqual(allowed);
}

const vectors = readVectors();

function vector(name: string): GnosisVector {
  const found = vectors.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no vector "${name}"`);
  return found;
}

describe('gnosis-compat against the published evaluation loop', () => {
  it.each(vectors.filter(({ name }) => name !== 'underflow'))('has its figures for $name', (each) => {
    const { nll, ece, predictiveKl } = compatOf(each);
    expectNear(nll, each.published.nll, 'nll');
    expectNear(ece, each.published.ece, 'ece');
    expectNear(predictiveKl, each.published.predictiveKl, 'predictiveKl');
  });

  it.each(vectors)('agreement and accuracy need no variant: $name', ({ classes, batches, published }) => {
    const agreement = new EvaluationEngine({ classes, labels: false });
    const labelled = new EvaluationEngine({ classes, labels: true });
    for (const batch of batches) {
      const { teacher, student, rows } = batch;
      agreement.add({ teacher, student, rows });
      labelled.add(labelledPart(batch, classes));
    }
    expectNear(agreement.result().fidelity.top1Agreement, published.top1Agreement, 'agreement');
    expectNear(labelled.result().student?.accuracy ?? NaN, published.accuracy, 'accuracy');
  });
});

describe('where the published figures are not what they are called', () => {
  it('has an NLL that is another figure', () => {
    const each = vector('batches of one size');
    expect(Number(each.published.nll)).toBeGreaterThan(1.5 * trueFigures(each).nll);
  });

  it('weighs a short last batch as a full one', () => {
    const each = vector('an uneven last batch');
    expect(
      Math.abs(Number(each.published.predictiveKl) / trueFigures(each).predictiveKl - 1),
    ).toBeGreaterThan(0.01);
    const even = vector('batches of one size');
    expectNear(trueFigures(even).predictiveKl, even.published.predictiveKl, 'predictiveKl of equal batches');
  });

  it('shrinks the ECE by the share of the synthetic rows', () => {
    const each = vector('synthetic rows');
    expectNear((trueFigures(each).ece * 56) / (56 + 24), each.published.ece, 'ece');
  });

  it('loses confidences of exactly 0.5 and counts those of exactly 0.1 twice; the convention `gnosis` does neither', () => {
    const each = vector('confidences on the edges');
    // One right and one wrong at 1, 1/2, 1/5 and 1/10; one right at 1/3; one wrong at 1/4, in the published bin of the 1/5.
    const third = 1 - 1 / 3;
    const ones = Math.abs(1 - 2);
    const tenths = 1 - 0.2;
    expectNear((third + Math.abs(1 - 0.65) + 2 * tenths + ones) / 10, each.published.ece, 'published');
    expect(trueFigures(each).ece).toBeCloseTo((third + 0.25 + (1 - 0.4) + tenths + ones) / 10, 7);
  });

  it('has an infinite KL where float32 has no such small probability', () => {
    const each = vector('underflow');
    expect(each.published.predictiveKl).toBe('Infinity');
    expect(compatOf(each).predictiveKl).toBeGreaterThan(10);
    expect(compatOf(each).predictiveKl).toBeLessThan(100);
    expectNear(compatOf(each).nll, each.published.nll, 'nll');
  });
});
