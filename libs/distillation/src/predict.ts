import * as tf from '@tensorflow/tfjs-core';
import { inputDimensions, inputLength } from '@fidelis/data';
import { unflatten, type Model } from '@fidelis/models';

/** Rows of one forward pass. Fixed, so that the same row gives the same bits whoever asks. */
export const PREDICTION_BATCH_ROWS = 1_000;

/**
 * Logits in eval mode.
 *
 * @param parameters the flat buffer, [parameterCount]
 * @param inputs [rows][height][width][channels], scaled to [−1, 1]
 * @returns [rows][classes]
 */
export function predict(
  model: Model,
  parameters: Float32Array,
  inputs: Float32Array,
  rows: number,
  batchSize: number = PREDICTION_BATCH_ROWS,
): Float32Array {
  const dimensions = inputDimensions(model.inputShape);
  const rowLength = inputLength(model.inputShape);
  const logits = new Float32Array(rows * model.classes);
  tf.tidy(() => {
    const pieces = unflatten(model, tf.tensor1d(parameters));
    for (let row = 0; row < rows; row += batchSize) {
      const count = Math.min(batchSize, rows - row);
      const batch = inputs.subarray(row * rowLength, (row + count) * rowLength);
      tf.tidy(() => {
        const images = tf.tensor(batch, [count, ...dimensions]);
        const { logits: predicted } = model.forward(
          { parameters: pieces, buffers: [], mode: 'eval' },
          images,
        );
        logits.set(predicted.dataSync(), row * model.classes);
      });
    }
  });
  return logits;
}
