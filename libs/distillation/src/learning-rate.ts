import type { ScheduleSpec } from '@fidelis/contracts';

export interface TrainingLength {
  /** Of the whole training. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/**
 * Rate of one step. Time t counts steps; with `every: epoch`, as in the paper's code, it counts whole epochs. With T the length of the
 * training and W that of the warm-up (0 without):
 *
 *     t < W:     base · (t + 1) / (W + 1)
 *     cosine:    floor + (base − floor) · (1 + cos(π · (t − W) / (T − W))) / 2
 *     constant:  base
 *     step:      base · factor^(milestones that are reached: m ≤ t), in the warm-up too
 *
 * Without a warm-up, step 0 has the base rate; the floor would be reached at T, one after the last.
 *
 * @param step 0…steps−1, over the whole training
 */
export function learningRate(
  schedule: ScheduleSpec,
  base: number,
  step: number,
  { steps, stepsPerEpoch }: TrainingLength,
): number {
  const unit = schedule.every === 'epoch' ? stepsPerEpoch : 1;
  const inUnits = (epochs: number): number => Math.round((epochs * stepsPerEpoch) / unit);
  const time = Math.floor(step / unit);
  const warmUp = inUnits(schedule.warmUpEpochs ?? 0);
  const rise = time < warmUp ? (time + 1) / (warmUp + 1) : 1;
  switch (schedule.kind) {
    case 'constant':
      return base * rise;
    case 'step': {
      const reached = schedule.milestones.filter((epoch) => inUnits(epoch) <= time);
      return reached.reduce((rate) => rate * schedule.factor, base) * rise;
    }
    case 'cosine': {
      if (rise < 1) return base * rise;
      const part = (time - warmUp) / (steps / unit - warmUp);
      return schedule.floor + ((base - schedule.floor) * (1 + cosineOfPi(part))) / 2;
    }
  }
}

/**
 * cos(π·x) for x in [0, 1] by + − × ÷ alone: `Math.cos` differs in its last bit between engine versions, and a
 * rate is part of a result's identity. Error below 1e-15.
 */
function cosineOfPi(x: number): number {
  if (x > 0.5) return -cosineOfPi(1 - x);
  if (x > 0.25) return sineSeries(Math.PI * (0.5 - x));
  return cosineSeries(Math.PI * x);
}

/** Σ (−1)^k y^2k/(2k)! for 0 ≤ y ≤ π/4: the first term left out is below 2e-18. */
function cosineSeries(y: number): number {
  return alternatingSeries(1, y * y, 0);
}

/** Σ (−1)^k y^(2k+1)/(2k+1)! for 0 ≤ y ≤ π/4. */
function sineSeries(y: number): number {
  return alternatingSeries(y, y * y, 1);
}

function alternatingSeries(first: number, square: number, degree: number): number {
  let term = first;
  let sum = first;
  for (let k = degree + 1; k < degree + 16; k += 2) {
    term *= -square / (k * (k + 1));
    sum += term;
  }
  return sum;
}
