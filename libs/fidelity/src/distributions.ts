/** Error function erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, to 1e-15, by its series with positive terms (Abramowitz & Stegun 7.1.6). */
export function errorFunction(x: number): number {
  const size = Math.abs(x);
  // 1 − erf(6) is 2e-17.
  if (size >= 6) return Math.sign(x);
  let term = size;
  let sum = size;
  for (let index = 1; term > sum * 1e-17; index++) {
    term *= (2 * size * size) / (2 * index + 1);
    sum += term;
  }
  return Math.sign(x) * Math.min(1, (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size) * sum);
}

/** E|G| of G ~ N(mean, deviation²): σ √(2/π) exp(−μ²/2σ²) + μ erf(μ / (σ√2)); |mean| for a deviation of 0. */
export function foldedNormalMean(mean: number, deviation: number): number {
  if (deviation === 0) return Math.abs(mean);
  const ratio = mean / deviation;
  const spread = deviation * Math.sqrt(2 / Math.PI) * Math.exp((-ratio * ratio) / 2);
  return spread + mean * errorFunction(ratio / Math.SQRT2);
}

/** E|X − n p| of X ~ Binomial(n, p) = 2 n p q · P(Binomial(n−1, p) = ⌊n p⌋) (de Moivre 1730). */
export function binomialMeanDeviation(n: number, p: number): number {
  if (p <= 0 || p >= 1) return 0;
  const middle = Math.min(n - 1, Math.floor(n * p));
  return 2 * n * p * (1 - p) * binomialProbability(middle, n - 1, p);
}

/** P(Binomial(n, p) = k), to about 1e-14 relative for any n, by Loader's saddle-point expansion (2000). */
export function binomialProbability(k: number, n: number, p: number): number {
  const q = 1 - p;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(n - k) -
    devianceTerm(k, n * p) -
    devianceTerm(n - k, n * q);
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * k * (n - k)));
}

/** log n! − log(√(2πn) (n/e)ⁿ) */
function stirlingError(n: number): number {
  if (n <= 20) {
    let factorial = 1;
    for (let factor = 2; factor <= n; factor++) factorial *= factor;
    return Math.log(factorial) - (n + 0.5) * Math.log(n) + n - 0.5 * Math.log(2 * Math.PI);
  }
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n;
}

/** x log(x/m) + m − x, without the cancellation where x is near m. */
function devianceTerm(x: number, m: number): number {
  const difference = x - m;
  if (Math.abs(difference) >= 0.1 * (x + m)) return x * Math.log(x / m) - difference;
  const ratio = difference / (x + m);
  let sum = difference * ratio;
  let power = 2 * x * ratio;
  for (let index = 1; index < 1000; index++) {
    power *= ratio * ratio;
    const next = sum + power / (2 * index + 1);
    if (next === sum) return sum;
    sum = next;
  }
  return sum;
}
