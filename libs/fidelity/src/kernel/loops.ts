import { control, f64, f64x2, i32, type Code, type Local } from './assembler.js';

export const forward = (at: Local, bytes: number): Code => at.set(i32.add(at.get, i32.const(bytes)));
export const below = (at: Local, end: Local): Code => i32.ltU(at.get, end.get);
export const larger = (a: Code, b: Code): Code => control.select(a, b, f64.gt(a, b));
export const smaller = (a: Code, b: Code): Code => control.select(a, b, f64.lt(a, b));
export const sumOf = (pair: Local): Code => f64.add(f64x2.lane(pair.get, 0), f64x2.lane(pair.get, 1));
export const grow = (sum: Local, term: Code): Code => sum.set(f64x2.add(sum.get, term));

/** The address after the last pair of a padded row of `classes` float64. */
export function pairsEnd(start: Local, classes: Local): Code {
  return i32.add(
    start.get,
    i32.shl(i32.and(i32.add(classes.get, i32.const(1)), i32.const(-2)), i32.const(3)),
  );
}
