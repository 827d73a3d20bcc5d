import { describe, expect, it } from 'vitest';
import { InputShape, type LabelledBatch } from './batch.js';
import { EvaluationEngine } from './evaluation-engine.js';
import { INPUT_KINDS, type InputKind, type Rows } from './input.js';

/** Rows of `classes` values that differ, as `kind` has them. */
function rowsOf(classes: number, rows: number, kind: InputKind): Float64Array {
  const values = Float64Array.from({ length: classes * rows }, (_, index) => Math.sin(index * index) * 4);
  if (kind === 'logits') return values;
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * classes, (row + 1) * classes);
    const total = part.reduce((sum, value) => sum + Math.exp(value), 0);
    for (const [column, value] of part.entries()) {
      part[column] = kind === 'probs' ? Math.exp(value) / total : value - Math.log(total);
    }
  }
  return values;
}

function batchOf(model: Rows, rows: number): LabelledBatch {
  return { model, rows, labels: new Int32Array(rows) };
}

describe('rows scored in the workspace', () => {
  // Widths around those of the vectors, and more rows than a block has.
  const shapes = [2, 3, 4, 5, 7, 8, 101, 5000].flatMap((classes) =>
    INPUT_KINDS.map((kind) => [classes, kind] as const),
  );

  it.each(shapes)('have the softmax of %i classes given as %s', (classes, kind) => {
    const rows = classes > 1000 ? 3 : 1500;
    for (const values of [rowsOf(classes, rows, kind), Float32Array.from(rowsOf(classes, rows, kind))]) {
      let row = 0;
      let worst = 0;
      new InputShape({ classes, kind }).visit(batchOf(values, rows), (score) => {
        const own = values.subarray(row * classes, (row + 1) * classes);
        const weights = Float64Array.from(own, (value) => (kind === 'probs' ? value : Math.exp(value)));
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const divisor = kind === 'probs' && Math.abs(sum - 1) <= 1e-6 ? 1 : sum;
        const largest = weights.reduce((most, weight) => Math.max(most, weight), 0);
        expect(score.predicted).toBe(weights.indexOf(largest));
        expect(score.confidence).toBe(score.probabilities[score.predicted]);
        weights.forEach((weight, column) => {
          const probability = weight / divisor;
          worst = Math.max(worst, Math.abs((score.probabilities[column] ?? NaN) / probability - 1));
          const logarithm = score.logProbabilities[column] ?? NaN;
          worst = Math.max(worst, Math.abs(logarithm - Math.log(probability)) / 8);
        });
        row++;
      });
      expect(row).toBe(rows);
      expect(worst).toBeLessThan(1e-14);
    }
  });

  it('have the same class and confidence to the last bit where no more is asked for', () => {
    for (const kind of INPUT_KINDS) {
      const batch = batchOf(rowsOf(101, 200, kind), 200);
      const shape = new InputShape({ classes: 101, kind });
      const scored: number[] = [];
      const tops: number[] = [];
      shape.visit(batch, ({ predicted, confidence }) => scored.push(predicted, confidence));
      shape.visitTops(batch, (predicted, confidence) => tops.push(predicted, confidence));
      expect(tops).toEqual(scored);
    }
  });

  it('are not disturbed by rows of other lengths in between', () => {
    const batch = (classes: number): { teacher: Float64Array; student: Float64Array; rows: number } => ({
      teacher: rowsOf(classes, 20, 'logits'),
      student: rowsOf(classes, 20, 'logits').reverse(),
      rows: 20,
    });
    const alone = new EvaluationEngine({ classes: 7, labels: false });
    alone.add(batch(7));
    alone.add(batch(7));
    const mixed = new EvaluationEngine({ classes: 7, labels: false });
    mixed.add(batch(7));
    // Longer rows need more memory, which replaces what there was.
    new InputShape({ classes: 20_000 }).visit(batchOf(rowsOf(20_000, 2, 'logits'), 2), () => undefined);
    mixed.add(batch(7));
    expect(mixed.toJSON()).toEqual(alone.toJSON());
  });

  it('are not visited within the visit to others', () => {
    const shape = new InputShape({ classes: 3 });
    const batch = batchOf(rowsOf(3, 2, 'logits'), 2);
    expect(() => shape.visit(batch, () => shape.visit(batch, () => undefined))).toThrow('within the visit');
    let seen = 0;
    shape.visit(batch, () => seen++);
    expect(seen).toBe(2);
  });
});
