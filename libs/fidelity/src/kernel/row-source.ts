import {
  control,
  f32,
  f32x4,
  f64,
  f64x2,
  i32,
  i32x4,
  i64x2,
  v128,
  type Code,
  type FunctionSource,
  type Local,
} from './assembler.js';
import { expOf, logOf } from './exp-log.js';
import { forward, below, larger, smaller, sumOf, grow } from './loops.js';

/** How a row of the input is read: in vectors of 16 bytes, and value by value where less is left. */
interface Input {
  readonly name: 'F32' | 'F64';
  readonly bytesLog2: 2 | 3;
  /** The value at an address. */
  one(at: Code): Code;
  /** Two values from an address on. */
  two(at: Code): Code;
  readonly max: typeof f64x2.pmax;
  readonly min: typeof f64x2.pmin;
  /** Sum of the lanes of what is at an address, in two lanes. */
  sum(at: Code): Code;
  readonly lanes: readonly number[];
  lane(vector: Code, lane: number): Code;
  /** Bit i is set where lane i of what is at an address is the value. */
  equal(at: Code, value: Code): Code;
}

const F32: Input = {
  name: 'F32',
  bytesLog2: 2,
  one: (at) => f64.promoteF32(f32.load(at)),
  two: (at) => f64x2.promoteLow(v128.load64Zero(at)),
  max: f32x4.pmax,
  min: f32x4.pmin,
  sum: (at) => f64x2.add(f64x2.promoteLow(v128.load64Zero(at)), f64x2.promoteLow(v128.load64Zero(at, 8))),
  lanes: [0, 1, 2, 3],
  lane: (vector, lane) => f64.promoteF32(f32x4.lane(vector, lane)),
  equal: (at, value) => i32x4.bitmask(f32x4.eq(v128.load(at), f32x4.splat(f32.demoteF64(value)))),
};

const F64: Input = {
  name: 'F64',
  bytesLog2: 3,
  one: (at) => f64.load(at),
  two: (at) => v128.load(at),
  max: f64x2.pmax,
  min: f64x2.pmin,
  sum: (at) => v128.load(at),
  lanes: [0, 1],
  lane: f64x2.lane,
  equal: (at, value) => i64x2.bitmask(f64x2.eq(v128.load(at), f64x2.splat(value))),
};

/** Infinity of the input's own width, in each lane. */
function infinite(input: Input, sign: 1 | -1): Code {
  const value = f64.const(sign * Infinity);
  return input.name === 'F32' ? f32x4.splat(f32.demoteF64(value)) : f64x2.splat(value);
}

/** (row, classes, out) → column of the first largest; out: largest, smallest, sum. NaN is in the sum alone. */
function scan(input: Input): FunctionSource {
  return {
    name: `scan${input.name}`,
    parameters: ['i32', 'i32', 'i32'],
    result: 'i32',
    body: (locals) => {
      const [row, classes, out] = locals.parameters(3);
      const [at, end, vectors, mask] = locals.create('i32', 4);
      const [max, min, sum] = locals.create('v128', 3);
      const [largest, smallest, total] = locals.create('f64', 3);
      const lanes = (vector: Local, pick: typeof larger, into: Local): Code =>
        control.sequence(
          ...input.lanes.map((lane) => into.set(pick(input.lane(vector.get, lane), into.get))),
        );
      const column = i32.shrU(i32.sub(at.get, row.get), i32.const(input.bytesLog2));
      return control.sequence(
        end.set(i32.add(row.get, i32.shl(classes.get, i32.const(input.bytesLog2)))),
        vectors.set(i32.add(row.get, i32.and(i32.sub(end.get, row.get), i32.const(-16)))),
        max.set(infinite(input, -1)),
        min.set(infinite(input, 1)),
        at.set(row.get),
        control.loop(
          below(at, vectors),
          control.sequence(
            max.set(input.max(max.get, v128.load(at.get))),
            min.set(input.min(min.get, v128.load(at.get))),
            grow(sum, input.sum(at.get)),
            forward(at, 16),
          ),
        ),
        largest.set(f64.const(-Infinity)),
        smallest.set(f64.const(Infinity)),
        lanes(max, larger, largest),
        lanes(min, smaller, smallest),
        total.set(sumOf(sum)),
        control.loop(
          below(at, end),
          control.sequence(
            largest.set(larger(input.one(at.get), largest.get)),
            smallest.set(smaller(input.one(at.get), smallest.get)),
            total.set(f64.add(total.get, input.one(at.get))),
            forward(at, 2 ** input.bytesLog2),
          ),
        ),
        f64.store(out.get, largest.get),
        f64.store(out.get, smallest.get, 8),
        f64.store(out.get, total.get, 16),
        at.set(row.get),
        control.loop(
          below(at, vectors),
          control.sequence(
            control.when(
              mask.tee(input.equal(at.get, largest.get)),
              control.return(i32.add(column, i32.ctz(mask.get))),
            ),
            forward(at, 16),
          ),
        ),
        control.loop(
          below(at, end),
          control.sequence(
            control.when(f64.eq(input.one(at.get), largest.get), control.return(column)),
            forward(at, 2 ** input.bytesLog2),
          ),
        ),
        i32.const(0),
      );
    },
  };
}

/**
 * Reads a row in pairs; an odd last value is paired with `filler`.
 *
 * @param each gets a pair, and runs where `at` is its address
 */
function inPairs(
  input: Input,
  { row, classes, at, end }: Record<'row' | 'classes' | 'at' | 'end', Local>,
  filler: number,
  each: (pair: Code) => Code,
): Code {
  const step = 2 ** (input.bytesLog2 + 1);
  return control.sequence(
    at.set(row.get),
    end.set(i32.add(row.get, i32.shl(i32.and(classes.get, i32.const(-2)), i32.const(input.bytesLog2)))),
    control.loop(below(at, end), control.sequence(each(input.two(at.get)), forward(at, step))),
    control.when(
      i32.and(classes.get, i32.const(1)),
      each(f64x2.replace(f64x2.const(filler), 0, input.one(at.get))),
    ),
  );
}

/** (row, classes, largest) → Σ exp(z − largest) */
function exponentialSum(input: Input): FunctionSource {
  return {
    name: `exponentialSum${input.name}`,
    parameters: ['i32', 'i32', 'f64'],
    result: 'f64',
    body: (locals) => {
      const [row, classes, largest] = locals.parameters(3);
      const walk = { row, classes, at: locals.one('i32'), end: locals.one('i32') };
      const sum = locals.one('v128');
      return control.sequence(
        inPairs(input, walk, -Infinity, (pair) =>
          grow(sum, expOf(locals, f64x2.sub(pair, f64x2.splat(largest.get)))),
        ),
        sumOf(sum),
      );
    },
  };
}

/** (row, classes, largest, logarithms, probabilities) → Σ exp(z − largest); the outputs are padded to an even length by −∞ and 0. */
function softmax(input: Input): FunctionSource {
  return {
    name: `softmax${input.name}`,
    parameters: ['i32', 'i32', 'f64', 'i32', 'i32'],
    result: 'f64',
    body: (locals) => {
      const [row, classes, largest, logarithms, probabilities] = locals.parameters(5);
      const walk = { row, classes, at: locals.one('i32'), end: locals.one('i32') };
      const [first, second] = locals.create('i32', 2);
      const [shifted, weight, sum, share, logTotal] = locals.create('v128', 5);
      const total = locals.one('f64');
      return control.sequence(
        first.set(logarithms.get),
        second.set(probabilities.get),
        inPairs(input, walk, -Infinity, (pair) =>
          control.sequence(
            shifted.set(f64x2.sub(pair, f64x2.splat(largest.get))),
            weight.set(expOf(locals, shifted.get)),
            v128.store(first.get, shifted.get),
            v128.store(second.get, weight.get),
            grow(sum, weight.get),
            forward(first, 16),
            forward(second, 16),
          ),
        ),
        logTotal.set(logOf(locals, f64x2.splat(total.tee(sumOf(sum))))),
        // The largest one's weight is 1: its probability is 1 / total to the last bit.
        share.set(f64x2.splat(f64.div(f64.const(1), total.get))),
        walk.end.set(first.get),
        first.set(logarithms.get),
        second.set(probabilities.get),
        control.loop(
          below(first, walk.end),
          control.sequence(
            v128.store(first.get, f64x2.sub(v128.load(first.get), logTotal.get)),
            v128.store(second.get, f64x2.mul(v128.load(second.get), share.get)),
            forward(first, 16),
            forward(second, 16),
          ),
        ),
        total.get,
      );
    },
  };
}

/** (row, classes, divisor, logarithms, probabilities): the probabilities by the divisor, and their logarithms; padded as `softmax`. */
function takeProbabilities(input: Input): FunctionSource {
  return {
    name: `probabilities${input.name}`,
    parameters: ['i32', 'i32', 'f64', 'i32', 'i32'],
    body: (locals) => {
      const [row, classes, divisor, logarithms, probabilities] = locals.parameters(5);
      const walk = { row, classes, at: locals.one('i32'), end: locals.one('i32') };
      const value = locals.one('v128');
      return inPairs(input, walk, 0, (pair) =>
        control.sequence(
          value.set(f64x2.div(pair, f64x2.splat(divisor.get))),
          v128.store(probabilities.get, value.get),
          v128.store(logarithms.get, logOf(locals, value.get)),
          forward(probabilities, 16),
          forward(logarithms, 16),
        ),
      );
    },
  };
}

/** What reads rows of the input. */
export const ROW_FUNCTIONS: readonly FunctionSource[] = [F32, F64].flatMap((input) => [
  scan(input),
  exponentialSum(input),
  softmax(input),
  takeProbabilities(input),
]);
