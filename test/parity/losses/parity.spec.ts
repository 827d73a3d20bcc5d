import { readFileSync } from 'node:fs';
import { startBackend } from '@fidelis/compute';
import { lossSchema } from '@fidelis/contracts';
import { trainingLoss } from '@fidelis/distillation';
import { combineMembers } from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nativeProblemOnDevice, toleranceOnDevice } from '../device.js';

const matrix = z.array(z.array(z.number()));
const golden = z
  .object({
    inputs: z.record(z.string(), z.object({ student: matrix, teacher: matrix, labels: z.array(z.int()) })),
    losses: z.array(z.object({ input: z.string(), loss: lossSchema, value: z.number(), gradient: matrix })),
    ensembles: z.array(z.object({ members: z.int(), logits: z.array(matrix), logProbabilities: matrix })),
  })
  .parse(JSON.parse(readFileSync(new URL('golden/losses.json', import.meta.url), 'utf8')));

const nativeProblem = await nativeProblemOnDevice();

/** Of the gradient's norm, and of the value. */
const TOLERANCE = toleranceOnDevice(1e-5);

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

for (const preference of ['native', 'wasm'] as const) {
  const problem = preference === 'native' ? nativeProblem : undefined;
  describe.skipIf(problem !== undefined)(
    `losses on ${preference}${problem === undefined ? '' : ` (${problem})`}`,
    () => {
      beforeAll(() => startBackend({ preference }));

      it.each(Object.keys(golden.inputs))("have PyTorch's values and gradients: %s", (name) => {
        const given = golden.inputs[name];
        if (given === undefined) throw new Error(`no input ${name}`);
        const misses: string[] = [];
        for (const { loss, value, gradient } of golden.losses.filter(({ input }) => input === name)) {
          tf.tidy(() => {
            const targets = {
              labels: tf.cast(
                tf.oneHot(given.labels, given.student[0]?.length ?? 0),
                'float32',
              ) as tf.Tensor2D,
              teacherLogits: tf.tensor2d(given.teacher),
            };
            const { value: ours, grad } = tf.valueAndGrad((logits: tf.Tensor) =>
              trainingLoss(loss, logits as tf.Tensor2D, targets),
            )(tf.tensor2d(given.student));
            const wanted = gradient.flat();
            const difference = [...grad.dataSync()].map((entry, i) => entry - (wanted[i] ?? Number.NaN));
            const offValue =
              Math.abs((ours.dataSync()[0] ?? Number.NaN) - value) / Math.max(1, Math.abs(value));
            const offGradient = norm(difference) / Math.max(norm(wanted), 1e-3);
            if (!(offValue <= TOLERANCE && offGradient <= TOLERANCE)) {
              misses.push(`${JSON.stringify(loss)}: value ${offValue}, gradient ${offGradient}`);
            }
          });
        }
        expect(misses).toEqual([]);
      });
    },
  );
}

describe('an ensemble', () => {
  it.each(golden.ensembles)(
    'of $members is combined as in PyTorch',
    ({ members, logits, logProbabilities }) => {
      const classes = logProbabilities[0]?.length ?? 0;
      const values = Float32Array.from(logits.flat(2));
      const combined = combineMembers(values, logits.length, members, classes);
      logProbabilities.forEach((row, r) => {
        const ours = [...combined.subarray(r * classes, (r + 1) * classes)];
        // One member's logits are left as they are: log-probabilities but for a constant.
        const shift = members === 1 ? Math.log(ours.reduce((sum, value) => sum + Math.exp(value), 0)) : 0;
        const off = norm(ours.map((value, c) => value - shift - (row[c] ?? Number.NaN)));
        expect(off / norm(row)).toBeLessThan(1e-6);
      });
    },
  );
});
