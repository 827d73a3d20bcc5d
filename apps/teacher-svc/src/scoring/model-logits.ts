import type { Predictor } from '@fidelis/distillation';
import type { ModelWeights } from '@fidelis/models';
import type { ImmediateLogits, SampleRows } from './logit-source.js';

/** Logits of all members of a teacher that is made of models. */
export class ModelLogits implements ImmediateLogits {
  /** @param weights by member, all of the predictor's model */
  constructor(
    private readonly predictor: Pick<Predictor, 'predict'>,
    private readonly weights: readonly ModelWeights[],
    private readonly classes: number,
  ) {}

  get members(): number {
    return this.weights.length;
  }

  logits({ inputs, rows }: SampleRows): Float32Array {
    const { members, classes } = this;
    const [only] = this.weights;
    if (only !== undefined && members === 1) return this.predictor.predict(only, inputs, rows);
    const values = new Float32Array(rows * members * classes);
    this.weights.forEach((weights, member) => {
      const logits = this.predictor.predict(weights, inputs, rows);
      for (let row = 0; row < rows; row++) {
        const own = logits.subarray(row * classes, (row + 1) * classes);
        values.set(own, (row * members + member) * classes);
      }
    });
    return values;
  }
}
