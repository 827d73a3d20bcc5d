import type { ScheduleSpec } from '@fidelis/contracts';

/**
 * Rate of one step; the schedule advances every step, not every epoch.
 *
 *     cosine:    rate(step) = floor + (base − floor) · (1 + cos(π · step / steps)) / 2
 *     constant:  rate(step) = base
 *
 * Step 0 has the base rate; the floor would be reached at `steps`, one after the last.
 *
 * @param step 0…steps−1, over the whole training
 */
export function learningRate(schedule: ScheduleSpec, base: number, step: number, steps: number): number {
  if (schedule.kind === 'constant') return base;
  return schedule.floor + ((base - schedule.floor) * (1 + cosineOfPi(step / steps))) / 2;
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
