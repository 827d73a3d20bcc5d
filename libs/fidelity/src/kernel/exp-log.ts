import { control, f64x2, i64x2, v128, type Code, type Locals } from './assembler.js';

/** Adding 1.5 · 2⁵² leaves the nearest whole number in the low bits of a float64. */
const WHOLE = 1.5 * 2 ** 52;
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const INVERSE_LN2 = 1.442695040888963387;
const EXP_P = [
  1.66666666666666019037e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5, -1.6533902205465251539e-6,
  4.13813679705723846039e-8,
];
const LOG_EVEN = [3.999999999940941908e-1, 2.222219843214978396e-1, 1.531383769920937332e-1];
const LOG_ODD = [
  6.66666666666673513e-1, 2.857142874366239149e-1, 1.818357216161805012e-1, 1.479819860511658591e-1,
];

const { const: both, add, sub, mul, div } = f64x2;

/** c₀ + x (c₁ + x (c₂ + …)) */
function polynomial(x: Code, coefficients: readonly number[]): Code {
  const [last = 0, ...rest] = [...coefficients].reverse();
  return rest.reduce((sum, coefficient) => add(both(coefficient), mul(x, sum)), both(last));
}

/**
 * exp(x) of two float64 for x ≤ 0, within 1 ulp (2⁻¹⁰⁷⁴ where the result is subnormal); exp(−∞) = 0. FreeBSD's e_exp.c: x = k ln 2 + r,
 * and a rational function of r. Only operations that IEEE 754 rounds in one way, so that every machine gives the same bits.
 */
export function expOf(locals: Locals, argument: Code): Code {
  const [x, whole, k, high, low, r, c, y] = locals.create('v128', 8);
  const z = mul(r.get, r.get);
  const square = locals.one('v128');
  return control.sequence(
    // Below −746 the result is 0; what is not below keeps NaN.
    x.set(f64x2.pmax(argument, both(-746))),
    k.set(sub(whole.tee(add(mul(x.get, both(INVERSE_LN2)), both(WHOLE))), both(WHOLE))),
    r.set(sub(high.tee(sub(x.get, mul(k.get, both(LN2_HIGH)))), low.tee(mul(k.get, both(LN2_LOW))))),
    square.set(z),
    c.set(sub(r.get, mul(square.get, polynomial(square.get, EXP_P)))),
    y.set(sub(both(1), sub(sub(low.get, div(mul(r.get, c.get), sub(both(2), c.get))), high.get))),
    control.choose(
      'v128',
      v128.anyTrue(f64x2.lt(k.get, both(-1021))),
      // Two factors where 2ᵏ is no normal number.
      mul(mul(y.get, powerOfTwo(whole.get, 1000)), both(2 ** -1000)),
      mul(y.get, powerOfTwo(whole.get, 0)),
    ),
  );
}

/** 2^(k + shift) of the k in the low bits of `whole`. */
function powerOfTwo(whole: Code, shift: number): Code {
  return i64x2.shl(i64x2.add(whole, i64x2.const(0, 1023 + shift)), 52);
}

/**
 * log(x) of two finite float64 ≥ 0, within 1 ulp; log(0) = −∞. FreeBSD's k_log.h: x = 2ᵏ (1 + f) with √½ < 1 + f < √2, and a polynomial
 * of f / (2 + f).
 */
export function logOf(locals: Locals, argument: Code): Code {
  const [x, scaled, shift, bits, k, f, half, s, z, w, result] = locals.create('v128', 11);
  const least = both(2 ** -1022);
  const even = mul(w.get, polynomial(w.get, LOG_EVEN));
  const odd = mul(z.get, polynomial(w.get, LOG_ODD));
  return control.sequence(
    x.set(argument),
    scaled.set(x.get),
    shift.set(both(2 ** 52 + 1023)),
    control.when(
      v128.anyTrue(f64x2.lt(x.get, least)),
      control.sequence(
        scaled.set(v128.select(mul(x.get, both(2 ** 54)), x.get, f64x2.lt(x.get, least))),
        shift.set(v128.select(both(2 ** 52 + 1023 + 54), shift.get, f64x2.lt(x.get, least))),
      ),
    ),
    // As many binades up as make √½ the start of one.
    bits.set(i64x2.add(scaled.get, i64x2.const(0x3ff00000 - 0x3fe6a09e, 0))),
    k.set(sub(v128.or(i64x2.shrU(bits.get, 52), both(2 ** 52)), shift.get)),
    f.set(
      sub(
        i64x2.add(v128.and(bits.get, i64x2.const(0x000fffff, 0xffffffff)), i64x2.const(0x3fe6a09e, 0)),
        both(1),
      ),
    ),
    half.set(mul(mul(both(0.5), f.get), f.get)),
    s.set(div(f.get, add(both(2), f.get))),
    z.set(mul(s.get, s.get)),
    w.set(mul(z.get, z.get)),
    result.set(
      add(
        add(sub(add(mul(s.get, add(half.get, add(odd, even))), mul(k.get, both(LN2_LOW))), half.get), f.get),
        mul(k.get, both(LN2_HIGH)),
      ),
    ),
    v128.select(both(-Infinity), result.get, f64x2.eq(x.get, both(0))),
  );
}
