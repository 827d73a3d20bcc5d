import { requireThat } from './requirement.js';

/** erf(x) = x·A(x²)/B(x²) for |x| ≤ 0.46875 (Cody 1969; the coefficients, highest power last, of his CALERF). */
const ERF_NUMERATOR = [
  3209.3775891384694, 377.485237685302, 113.86415415105016, 3.1611237438705655, 0.18577770618460315,
];
const ERF_DENOMINATOR = [2844.236833439171, 1282.6165260773723, 244.02463793444417, 23.601290952344122, 1];
/** erfc(x) = exp(−x²)·C(x)/D(x) for 0.46875 < x ≤ 4. */
const MIDDLE_NUMERATOR = [
  1230.3393547979972, 2051.0783778260716, 1712.0476126340707, 881.952221241769, 298.6351381974001,
  66.11919063714163, 8.883149794388377, 0.5641884969886701, 2.1531153547440383e-8,
];
const MIDDLE_DENOMINATOR = [
  1230.3393548037495, 3439.3676741437216, 4362.619090143247, 3290.7992357334597, 1621.3895745666903,
  537.1811018620099, 117.6939508913125, 15.744926110709835, 1,
];
/** erfc(x) = exp(−x²)/x·(1/√π − x⁻²·P(x⁻²)/Q(x⁻²)) for x > 4. */
const TAIL_NUMERATOR = [
  0.0006587491615298378, 0.016083785148742275, 0.12578172611122926, 0.36034489994980445, 0.30532663496123236,
  0.016315387137302097,
];
const TAIL_DENOMINATOR = [
  0.0023352049762686918, 0.06051834131244132, 0.5279051029514285, 1.8729528499234604, 2.568520192289822, 1,
];
const INVERSE_SQRT_PI = 0.5641895835477563;

/** Coefficients by ascending power. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let power = coefficients.length - 1; power >= 0; power--)
    value = value * x + (coefficients[power] ?? 0);
  return value;
}

/** exp(−x²) without the loss of x²'s rounding: x is split at a sixteenth, whose square is exact. */
function expMinusSquare(x: number): number {
  const head = Math.trunc(x * 16) / 16;
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head));
}

/**
 * Complementary error function erfc(x) = 2/√π ∫ₓ^∞ exp(−t²) dt, to 1e-14 relative where it is above 1e-300, and 0 beyond.
 * Source: Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969).
 */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size <= 0.46875) {
    const square = x * x;
    return 1 - (x * polynomial(ERF_NUMERATOR, square)) / polynomial(ERF_DENOMINATOR, square);
  }
  const upper = size <= 4 ? middleErfc(size) : tailErfc(size);
  return x < 0 ? 2 - upper : upper;
}

function middleErfc(x: number): number {
  return (expMinusSquare(x) * polynomial(MIDDLE_NUMERATOR, x)) / polynomial(MIDDLE_DENOMINATOR, x);
}

function tailErfc(x: number): number {
  if (x > 27.3) return 0;
  const inverseSquare = 1 / (x * x);
  const fraction =
    (inverseSquare * polynomial(TAIL_NUMERATOR, inverseSquare)) / polynomial(TAIL_DENOMINATOR, inverseSquare);
  return (expMinusSquare(x) / x) * (INVERSE_SQRT_PI - fraction);
}

/**
 * Φ(x), the probability that a standard normal variable is at most x: erfc(−x/√2)/2. Relative error below 1e-13 for x > −37;
 * 0 for −∞, 1 for +∞, NaN for NaN.
 */
export function normalCdf(x: number): number {
  return erfc(-x * Math.SQRT1_2) / 2;
}

/** AS 241, PPND16: the three ranges' numerators and denominators by ascending power. */
const CENTRE_NUMERATOR = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const CENTRE_DENOMINATOR = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const NEAR_NUMERATOR = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const NEAR_DENOMINATOR = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_NUMERATOR = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
];
const FAR_DENOMINATOR = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15,
];

/**
 * Φ⁻¹(p), the standard normal quantile. Relative error about 1e-15 (Wichura, algorithm AS 241, PPND16, Appl. Statist. 37,
 * 1988); −∞ for 0 and +∞ for 1.
 *
 * @throws FidelisError REQUEST.INVALID unless 0 ≤ p ≤ 1
 */
export function normalQuantile(p: number): number {
  requireThat(p >= 0 && p <= 1, `a probability is from 0 to 1: got ${p}`);
  const centred = p - 0.5;
  if (Math.abs(centred) <= 0.425) {
    const r = 0.180625 - centred * centred;
    return (centred * polynomial(CENTRE_NUMERATOR, r)) / polynomial(CENTRE_DENOMINATOR, r);
  }
  const tail = centred < 0 ? p : 1 - p;
  if (tail === 0) return centred < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const size =
    r <= 5
      ? polynomial(NEAR_NUMERATOR, r - 1.6) / polynomial(NEAR_DENOMINATOR, r - 1.6)
      : polynomial(FAR_NUMERATOR, r - 5) / polynomial(FAR_DENOMINATOR, r - 5);
  return centred < 0 ? -size : size;
}
