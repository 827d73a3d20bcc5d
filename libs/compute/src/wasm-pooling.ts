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
  const { filterHeight, filterWidth, strideHeight, strideWidth, ...size } = tf.backend_util.computePool2DInfo(
    input.shape,
    attributes['filterSize'] as number,
    attributes['strides'] as number,
    1,
    'valid',
  );
  const { batchSize, inChannels, inHeight, inWidth, outHeight, outWidth } = size;
  const values = input.dataSync();
  const gradients = dy.dataSync();
  const result = new Float32Array(values.length);
  let output = 0;
  for (let sample = 0; sample < batchSize; sample++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++) {
        const corner =
          ((sample * inHeight + row * strideHeight) * inWidth + column * strideWidth) * inChannels;
        for (let channel = 0; channel < inChannels; channel++, output++) {
          let place = corner + channel;
          let largest = values[place] ?? NaN;
          for (let i = 0; i < filterHeight; i++) {
            for (let j = 0; j < filterWidth; j++) {
              const candidate = corner + channel + (i * inWidth + j) * inChannels;
              const value = values[candidate] ?? NaN;
              if (value > largest) {
                largest = value;
                place = candidate;
              }
            }
          }
          result[place] = (result[place] ?? 0) + (gradients[output] ?? 0);
        }
      }
    }
  }
  return tf.tensor4d(result, input.shape);
}
