import { throughCodec, type Codec } from '@fidelis/contracts';
import { combineMembers } from '@fidelis/models';

/** What a codec does to a teacher's answers, summed over rows. */
export interface CodecErrorSums {
  readonly rows: number;
  /** Of KL(p ‖ q) in nats: p by the logits as they are, q by what a student gets. */
  readonly klSum: number;
  readonly klMax: number;
  /** Rows whose most probable class is another. */
  readonly argmaxFlips: number;
}

/**
 * Measured on what students learn from: the members combined (z = logsumexp_m(log_softmax(z_m)) − log m), at temperature 1.
 *
 * @param values [rows][members][classes], f32
 */
export function codecError(
  values: Float32Array,
  rows: number,
  members: number,
  classes: number,
  codec: Codec,
): CodecErrorSums {
  if (codec === 'f32') return { rows, klSum: 0, klMax: 0, argmaxFlips: 0 };
  const before = combineMembers(values, rows, members, classes);
  const after = combineMembers(throughCodec(values, codec), rows, members, classes);
  let [klSum, klMax, argmaxFlips] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const p = before.subarray(row * classes, (row + 1) * classes);
    const q = after.subarray(row * classes, (row + 1) * classes);
    const kl = Math.max(0, divergence(p, q));
    klSum += kl;
    klMax = Math.max(klMax, kl);
    if (largest(p) !== largest(q)) argmaxFlips += 1;
  }
  return { rows, klSum, klMax, argmaxFlips };
}

/** KL of the softmax of one row of logits from that of another, in float64. */
function divergence(p: Float32Array, q: Float32Array): number {
  const [normP, normQ] = [logSumExp(p), logSumExp(q)];
  return p.reduce((sum, value, index) => {
    const logP = value - normP;
    return sum + Math.exp(logP) * (logP - ((q[index] ?? 0) - normQ));
  }, 0);
}

function logSumExp(logits: Float32Array): number {
  const top = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  return top + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

/** The first of equals, as everywhere. */
function largest(logits: Float32Array): number {
  let best = 0;
  for (let index = 1; index < logits.length; index++) {
    if ((logits[index] ?? 0) > (logits[best] ?? 0)) best = index;
  }
  return best;
}
