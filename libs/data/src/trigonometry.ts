/** Of the series; the first one left out is below 1e−17 for angles up to π. */
const TERMS = 16;
/** The double nearest to π/180. */
const RADIANS_PER_DEGREE = 0.017453292519943295;

/**
 * Sine by its Taylor series, with + − × ÷ alone: engines and their versions differ in `Math.sin`, and an augmented image is part of a
 * stream's identity.
 *
 * @param degrees −180…180
 */
export function sine(degrees: number): number {
  return series(degrees * RADIANS_PER_DEGREE, 1);
}

/** As `sine`. */
export function cosine(degrees: number): number {
  return series(degrees * RADIANS_PER_DEGREE, 0);
}

/** Σ (−1)^k x^(2k+first) / (2k+first)!: sine from the first power on, cosine from the zeroth. */
function series(x: number, first: 0 | 1): number {
  let term = first === 1 ? x : 1;
  let sum = term;
  for (let power = first + 2; power < 2 * TERMS; power += 2) {
    term = (-term * x * x) / (power * (power - 1));
    sum += term;
  }
  return sum;
}
