import type { CodecError } from '@fidelis/contracts';
import type { CodecErrorSums } from '@fidelis/distillation';

export const NOTHING: CodecErrorSums = { rows: 0, klSum: 0, klMax: 0, argmaxFlips: 0 };

export function addCodecErrors(one: CodecErrorSums, other: CodecErrorSums): CodecErrorSums {
  return {
    rows: one.rows + other.rows,
    klSum: one.klSum + other.klSum,
    klMax: Math.max(one.klMax, other.klMax),
    argmaxFlips: one.argmaxFlips + other.argmaxFlips,
  };
}

/** What is known of a stream, with what was scored since. */
export function withSums(known: CodecError | null, sums: CodecErrorSums): CodecError | null {
  const before =
    known === null ? NOTHING : { ...known, klSum: known.meanKl * known.rows, klMax: known.maxKl };
  const { rows, klSum, klMax, argmaxFlips } = addCodecErrors(before, sums);
  return rows === 0 ? null : { rows, meanKl: klSum / rows, maxKl: klMax, argmaxFlips };
}
