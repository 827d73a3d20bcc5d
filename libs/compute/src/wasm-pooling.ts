import * as tf from '@tensorflow/tfjs-core';
import type { NamedAttrMap, NamedTensorInfoMap, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { tensorInput } from './wasm-kernel.js';

/**
 * The gradient of the largest of each window: it goes to where the largest was, the first of equals, as TensorFlow does. The backend's own kernel
 * (tfjs-backend-wasm 4.22) begins its search above zero, so a window without a positive number passes its gradient to a wrong place.
 *
 * @param inputs dy [N, h, w, C], input [N, H, W, C]
 * @param attributes filterSize, strides, pad ('valid' alone has windows that lie wholly inside)
 */
export function maxPoolGradient(inputs: NamedTensorInfoMap, attributes: NamedAttrMap): Tensor {
  const input = tensorInput(inputs, 'input') as Tensor4D;
  const dy = tensorInput(inputs, 'dy') as Tensor4D;
  if (attributes['pad'] !== 'valid')
    throw new RangeError('on wasm max pooling can be trained without padding only');
  const { filterHeight, filterWidth, strideHeight, strideWidth, inChannels, inHeight, inWidth, ...size } =
    tf.backend_util.computePool2DInfo(
      input.shape,
      attributes['filterSize'] as number,
      attributes['strides'] as number,
      1,
      'valid',
    );
  const window = Array.from(
    { length: filterHeight * filterWidth },
    (_, i) => (Math.floor(i / filterWidth) * inWidth + (i % filterWidth)) * inChannels,
  );
  const values = input.dataSync<'float32'>();
  const result = new Float32Array(values.length);
  dy.dataSync<'float32'>().forEach((gradient, index) => {
    const channel = index % inChannels;
    const pixel = (index - channel) / inChannels;
    const column = pixel % size.outWidth;
    const line = (pixel - column) / size.outWidth;
    const row = line % size.outHeight;
    const sample = (line - row) / size.outHeight;
    const corner = (sample * inHeight + row * strideHeight) * inWidth + column * strideWidth;
    const place = placeOfLargest(values, corner * inChannels + channel, window);
    result[place] = (result[place] ?? 0) + gradient;
  });
  return tf.tensor4d(result, input.shape);
}

/** @param window what to add to `origin` for each place of the window, in the order in which equals are preferred */
function placeOfLargest(values: Float32Array, origin: number, window: readonly number[]): number {
  let place = origin;
  let largest = values[origin] ?? NaN;
  for (const offset of window) {
    const value = values[origin + offset] ?? NaN;
    if (value > largest) {
      largest = value;
      place = origin + offset;
    }
  }
  return place;
}
