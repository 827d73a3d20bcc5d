import { FidelisError } from '@fidelis/contracts';

/**
 * Logits of an ensemble from its members' (paper §2.1): z = logsumexp_m(log_softmax(z_m)) − log m, the log of the mean probability.
 * Temperature comes after. A single member's logits are returned as they are. Computed in float64.
 *
 * @param values [rows][members][classes]
 * @returns [rows][classes]
 * @throws FidelisError FRAME.INVALID if the number of values is another
 */
export function combineMembers(
  values: Float32Array,
  rows: number,
  members: number,
  classes: number,
): Float32Array {
  if (values.length !== rows * members * classes) {
    throw new FidelisError(
      'FRAME.INVALID',
      `${rows}×${members}×${classes} logits were announced, ${values.length} came`,
    );
  }
  if (members === 1) return values;
  const combined = new Float32Array(rows * classes);
  const logProbabilities = new Float64Array(members * classes);
  for (let row = 0; row < rows; row++) {
    for (let member = 0; member < members; member++) {
      const offset = (row * members + member) * classes;
      const normaliser = logSumExp(values, offset, classes, 1);
      for (let c = 0; c < classes; c++) {
        logProbabilities[member * classes + c] = (values[offset + c] ?? 0) - normaliser;
      }
    }
    for (let c = 0; c < classes; c++) {
      combined[row * classes + c] = logSumExp(logProbabilities, c, members, classes) - Math.log(members);
    }
  }
  return combined;
}

/** log Σ exp of `count` values from `offset`, `stride` apart; the greatest is taken out first, so that nothing overflows. */
function logSumExp(values: ArrayLike<number>, offset: number, count: number, stride: number): number {
  let greatest = -Infinity;
  for (let i = 0; i < count; i++) greatest = Math.max(greatest, values[offset + i * stride] ?? -Infinity);
  if (greatest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp((values[offset + i * stride] ?? -Infinity) - greatest);
  return greatest + Math.log(sum);
}
