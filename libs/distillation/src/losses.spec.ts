import { startBackend } from '@fidelis/compute';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { kdLoss, nllLoss, trainingLoss } from './losses.js';

const nativeProblem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

const student = [2, -1, 0.5, 0, 3, -2];
const teacher = [1, 1.5, -1, 4, 0, 0.5];
const oneHot = [0, 1, 0, 0, 0, 1];
const ROWS = 2;
const CLASSES = 3;

function softmax(logits: readonly number[], temperature: number): number[] {
  const exponentials = logits.map((z) => Math.exp(z / temperature));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

/** The formulas of paper §2.2 in float64: value and gradient of the mean over the batch. */
function expected(
  targets: readonly number[],
  temperature: number,
  soft: boolean,
): { value: number; gradient: number[] } {
  let value = 0;
  const gradient: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    const range = [row * CLASSES, (row + 1) * CLASSES] as const;
    const p = softmax(student.slice(...range), temperature);
    const t = soft ? softmax(targets.slice(...range), temperature) : targets.slice(...range);
    p.forEach((probability, c) => {
      value -= (temperature ** 2 * (t[c] ?? 0) * Math.log(probability)) / ROWS;
      gradient.push((temperature * (probability - (t[c] ?? 0))) / ROWS);
    });
  }
  return { value, gradient };
}

function evaluate(loss: (logits: tf.Tensor2D) => tf.Scalar): { value: number; gradient: number[] } {
  return tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => loss(z as tf.Tensor2D))(
      tf.tensor2d(student, [ROWS, CLASSES]),
    );
    return { value: value.dataSync()[0] ?? Number.NaN, gradient: [...grad.dataSync()] };
  });
}

function expectClose(actual: ReturnType<typeof evaluate>, wanted: ReturnType<typeof expected>): void {
  expect(actual.value).toBeCloseTo(wanted.value, 4);
  actual.gradient.forEach((g, i) => expect(g).toBeCloseTo(wanted.gradient[i] ?? Number.NaN, 5));
}

for (const preference of ['native', 'wasm'] as const) {
  const problem = preference === 'native' ? nativeProblem : undefined;
  describe.skipIf(problem !== undefined)(
    `losses on ${preference}${problem === undefined ? '' : ` (${problem})`}`,
    () => {
      beforeAll(() => startBackend({ preference }));
      const tensor = (values: number[]): tf.Tensor2D => tf.tensor2d(values, [ROWS, CLASSES]);

      it('NLL has the value and gradient of its formula', () => {
        expectClose(
          evaluate((z) => nllLoss(z, tensor(oneHot))),
          expected(oneHot, 1, false),
        );
      });

      it.each([1, 4, 16])('KD at temperature %d has the value and gradient of its formula', (temperature) => {
        expectClose(
          evaluate((z) => kdLoss(z, tensor(teacher), temperature)),
          expected(teacher, temperature, true),
        );
      });

      it('mixes both by α', () => {
        const nll = expected(oneHot, 1, false);
        const kd = expected(teacher, 4, true);
        const mixed = evaluate((z) =>
          trainingLoss({ kind: 'kd', temperature: 4, alpha: 0.3 }, z, {
            labels: tensor(oneHot),
            teacherLogits: tensor(teacher),
          }),
        );
        expectClose(mixed, {
          value: 0.3 * nll.value + 0.7 * kd.value,
          gradient: nll.gradient.map((g, i) => 0.3 * g + 0.7 * (kd.gradient[i] ?? 0)),
        });
      });

      it('passes on the gradient that comes from above', () => {
        const doubled = tf.tidy(() => {
          const gradient = tf.grad((z: tf.Tensor) => nllLoss(z as tf.Tensor2D, tensor(oneHot)));
          return [...gradient(tensor(student), tf.scalar(2)).dataSync()];
        });
        const { gradient } = expected(oneHot, 1, false);
        doubled.forEach((g, i) => expect(g).toBeCloseTo(2 * (gradient[i] ?? Number.NaN), 5));
      });
    },
  );
}

it('a loss without its target is refused', () => {
  expect(() =>
    tf.tidy(() =>
      trainingLoss({ kind: 'kd', temperature: 4, alpha: 0 }, tf.tensor2d(student, [ROWS, CLASSES]), {}),
    ),
  ).toThrow("this loss needs the teacher's logits");
});
