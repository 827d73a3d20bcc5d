import {
  control,
  f64,
  f64x2,
  i32,
  i64x2,
  v128,
  type Code,
  type FunctionSource,
  type Local,
  type Locals,
} from './assembler.js';
import { expOf, logOf } from './exp-log.js';
import { forward, below, sumOf, grow, pairsEnd } from './loops.js';

/** (log p, p, log q, q, classes, out); out: KL(p ‖ q), KL(q ‖ p), 2 JS, 2 TV as they come from the sums. */
const divergences: FunctionSource = {
  name: 'divergences',
  parameters: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
  body: (locals) => {
    const [logP, p, logQ, q, classes, out] = locals.parameters(6);
    const end = locals.one('i32');
    const [lp, pk, lq, qk, lm, forwards, backwards, middle, variation] = locals.create('v128', 9);
    // What has probability 0 adds nothing, whatever its logarithm makes of it.
    const term = (weight: Local, a: Local, b: Local): Code =>
      v128.and(f64x2.mul(weight.get, f64x2.sub(a.get, b.get)), f64x2.gt(weight.get, f64x2.const(0)));
    return control.sequence(
      end.set(pairsEnd(logP, classes)),
      control.loop(
        below(logP, end),
        control.sequence(
          lp.set(v128.load(logP.get)),
          pk.set(v128.load(p.get)),
          lq.set(v128.load(logQ.get)),
          qk.set(v128.load(q.get)),
          lm.set(f64x2.mul(f64x2.add(pk.get, qk.get), f64x2.const(0.5))),
          // Half of the smallest float64 is 0: its logarithm would make an infinity of what adds next to nothing.
          lm.set(logOf(locals, f64x2.pmax(lm.get, f64x2.const(Number.MIN_VALUE)))),
          grow(forwards, term(pk, lp, lq)),
          grow(backwards, term(qk, lq, lp)),
          grow(middle, f64x2.add(term(pk, lp, lm), term(qk, lq, lm))),
          grow(variation, f64x2.abs(f64x2.sub(pk.get, qk.get))),
          ...[logP, p, logQ, q].map((at) => forward(at, 16)),
        ),
      ),
      ...[forwards, backwards, middle, variation].map((sum, index) =>
        f64.store(out.get, sumOf(sum), 8 * index),
      ),
    );
  },
};

/** (p, classes, column) → Σ_k (p_k − 1{k = column})² */
const squaredDistance: FunctionSource = {
  name: 'squaredDistance',
  parameters: ['i32', 'i32', 'i32'],
  result: 'f64',
  body: (locals) => {
    const [p, classes, column] = locals.parameters(3);
    const [at, end, own] = locals.create('i32', 3);
    const [value, sum] = locals.create('v128', 2);
    const kept = locals.one('f64');
    return control.sequence(
      own.set(i32.add(p.get, i32.shl(column.get, i32.const(3)))),
      kept.set(f64.load(own.get)),
      f64.store(own.get, f64.sub(kept.get, f64.const(1))),
      end.set(pairsEnd(p, classes)),
      at.set(p.get),
      control.loop(
        below(at, end),
        control.sequence(
          value.set(v128.load(at.get)),
          grow(sum, f64x2.mul(value.get, value.get)),
          forward(at, 16),
        ),
      ),
      f64.store(own.get, kept.get),
      sumOf(sum),
    );
  },
};

/** (values, classes, column) → how many are larger than that of the column, or equal to it and before it */
const ahead: FunctionSource = {
  name: 'ahead',
  parameters: ['i32', 'i32', 'i32'],
  result: 'i32',
  body: (locals) => {
    const [values, classes, column] = locals.parameters(3);
    const [at, end, place, count, equal] = locals.create('i32', 5);
    const own = locals.one('v128');
    const tally = (into: Local, mask: Code): Code =>
      into.set(i32.add(into.get, i32.popcnt(i64x2.bitmask(mask))));
    return control.sequence(
      place.set(i32.add(values.get, i32.shl(column.get, i32.const(3)))),
      own.set(f64x2.splat(f64.load(place.get))),
      end.set(pairsEnd(values, classes)),
      at.set(values.get),
      control.loop(
        below(at, end),
        control.sequence(
          tally(count, f64x2.gt(v128.load(at.get), own.get)),
          tally(equal, f64x2.eq(v128.load(at.get), own.get)),
          forward(at, 16),
        ),
      ),
      // One is the column itself.
      control.when(
        i32.ltU(i32.const(1), equal.get),
        control.sequence(
          at.set(values.get),
          control.loop(
            below(at, place),
            control.sequence(
              count.set(i32.add(count.get, f64.eq(f64.load(at.get), f64.load(place.get)))),
              forward(at, 8),
            ),
          ),
        ),
      ),
      count.get,
    );
  },
};

/** Adding and taking away 1.5 · 2²⁸ rounds a number below 1 to a multiple of 2⁻²⁴. */
const ROUNDER = 1.5 * 2 ** 28;

/**
 * (p, classes, threshold, coarse, fine, list) → how many are at least the threshold; list: their columns. The others are added to the
 * sums of their columns, in two parts: multiples of 2⁻²⁴, whose sum is exact up to 2²⁹ rows, and the rest, whose rounding is below
 * 2⁻⁷⁸ a row.
 */
const columns: FunctionSource = {
  name: 'columns',
  parameters: ['i32', 'i32', 'f64', 'i32', 'i32', 'i32'],
  result: 'i32',
  body: (locals) => {
    const [p, classes, threshold, coarse, fine, list] = locals.parameters(6);
    const [end, mask, column, last] = locals.create('i32', 4);
    const [value, rounded] = locals.create('v128', 2);
    const note = (bit: number): Code =>
      control.when(
        i32.and(mask.get, i32.const(bit)),
        control.sequence(i32.store(last.get, i32.add(column.get, i32.const(bit - 1))), forward(last, 4)),
      );
    const addTo = (at: Local, term: Code): Code => v128.store(at.get, f64x2.add(v128.load(at.get), term));
    return control.sequence(
      end.set(pairsEnd(p, classes)),
      last.set(list.get),
      control.loop(
        below(p, end),
        control.sequence(
          value.set(v128.load(p.get)),
          control.when(
            mask.tee(i64x2.bitmask(f64x2.ge(value.get, f64x2.splat(threshold.get)))),
            control.sequence(
              note(1),
              note(2),
              value.set(v128.and(value.get, f64x2.lt(value.get, f64x2.splat(threshold.get)))),
            ),
          ),
          rounded.set(f64x2.sub(f64x2.add(value.get, f64x2.const(ROUNDER)), f64x2.const(ROUNDER))),
          addTo(coarse, rounded.get),
          addTo(fine, f64x2.sub(value.get, rounded.get)),
          column.set(i32.add(column.get, i32.const(2))),
          ...[p, coarse, fine].map((at) => forward(at, 16)),
        ),
      ),
      i32.shrU(i32.sub(last.get, list.get), i32.const(2)),
    );
  },
};

/** (values, classes, largest, β, out); out: Σ w, Σ w d, Σ w d² of d = value − largest and w = exp(β d) */
const temper: FunctionSource = {
  name: 'temper',
  parameters: ['i32', 'i32', 'f64', 'f64', 'i32'],
  body: (locals) => {
    const [values, classes, largest, beta, out] = locals.parameters(5);
    const end = locals.one('i32');
    const [shifted, weight, total, first, second] = locals.create('v128', 5);
    return control.sequence(
      end.set(pairsEnd(values, classes)),
      control.loop(
        below(values, end),
        control.sequence(
          // Finite, so that a weight of 0 times it is 0.
          shifted.set(
            f64x2.pmax(
              f64x2.sub(v128.load(values.get), f64x2.splat(largest.get)),
              f64x2.const(-Number.MAX_VALUE),
            ),
          ),
          weight.set(expOf(locals, f64x2.mul(shifted.get, f64x2.splat(beta.get)))),
          grow(total, weight.get),
          weight.set(f64x2.mul(weight.get, shifted.get)),
          grow(first, weight.get),
          grow(second, f64x2.mul(weight.get, shifted.get)),
          forward(values, 16),
        ),
      ),
      ...[total, first, second].map((sum, index) => f64.store(out.get, sumOf(sum), 8 * index)),
    );
  },
};

/** (from, to, count): exp, or log, of an even number of float64. */
function elementwise(name: string, compute: (locals: Locals, argument: Code) => Code): FunctionSource {
  return {
    name,
    parameters: ['i32', 'i32', 'i32'],
    body: (locals) => {
      const [from, to, count] = locals.parameters(3);
      const end = locals.one('i32');
      return control.sequence(
        end.set(pairsEnd(from, count)),
        control.loop(
          below(from, end),
          control.sequence(
            v128.store(to.get, compute(locals, v128.load(from.get))),
            forward(from, 16),
            forward(to, 16),
          ),
        ),
      );
    },
  };
}

/** What reads rows that are scored: float64, padded to an even length. */
export const SCORE_FUNCTIONS: readonly FunctionSource[] = [
  divergences,
  squaredDistance,
  ahead,
  columns,
  temper,
  elementwise('exponentials', expOf),
  elementwise('logarithms', logOf),
];
