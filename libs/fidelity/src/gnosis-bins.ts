import { assertCount, refuse } from './accumulator.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';

const BINS = 10;
const WIDTH = Math.fround(1 / BINS);

/** Upper edges: `torch.linspace(1/10, 1, 10)` in float32, from below up to the middle, and from above beyond it. */
const UPPER = Float32Array.from({ length: BINS }, (_, index) => {
  const step = Math.fround(Math.fround(1 - WIDTH) / (BINS - 1));
  return index < BINS / 2 ? WIDTH + Math.fround(step * index) : 1 - Math.fround(step * (BINS - 1 - index));
});
/** Lower edges: upper − 1/10, in float32. */
const LOWER = UPPER.map((edge) => edge - WIDTH);

export interface GnosisBinsState {
  readonly correct: readonly number[];
  readonly confidence: readonly CompensatedSumState[];
}

/**
 * The ten bins (upper − 1/10, upper] of the published code as float32 has them. They do not join: a confidence of 0.5 is in none of
 * them, one of 0.3 in that above, one of 0.1 in two, each within 3e-8. A softmax with two leading classes and no other gives exactly 0.5.
 */
export class GnosisBins {
  private readonly correct = new Array<number>(BINS).fill(0);
  private confidence = Array.from({ length: BINS }, () => new CompensatedSum());

  /** @param confidence above 0 and at most 1; its float32 rounding is compared with the edges */
  add(confidence: number, correct: boolean): void {
    const rounded = Math.fround(confidence);
    for (let bin = 0; bin < BINS; bin++) {
      if (rounded <= (LOWER[bin] ?? 0) || rounded > (UPPER[bin] ?? 1)) continue;
      if (correct) this.correct[bin] = (this.correct[bin] ?? 0) + 1;
      this.confidence[bin]?.add(confidence);
    }
  }

  /** Σ_b |right ones − confidences|, which is N times the ECE. */
  gaps(): number {
    return this.confidence.reduce(
      (sum, { value }, bin) => sum + Math.abs((this.correct[bin] ?? 0) - value),
      0,
    );
  }

  merge(other: GnosisBins): void {
    other.correct.forEach((correct, bin) => {
      this.correct[bin] = (this.correct[bin] ?? 0) + correct;
    });
    other.confidence.forEach((sum, bin) => this.confidence[bin]?.merge(sum));
  }

  toJSON(): GnosisBinsState {
    return { correct: [...this.correct], confidence: this.confidence.map((sum) => sum.toJSON()) };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON({ correct, confidence }: GnosisBinsState): GnosisBins {
    for (const values of [correct, confidence]) {
      if (values.length !== BINS) refuse(`the saved bins are damaged: ${values.length} where ${BINS} belong`);
    }
    const restored = new GnosisBins();
    correct.forEach((count, bin) => {
      assertCount('correct', count, 0);
      restored.correct[bin] = count;
    });
    restored.confidence = confidence.map((sum) => CompensatedSum.fromJSON(sum));
    return restored;
  }
}
