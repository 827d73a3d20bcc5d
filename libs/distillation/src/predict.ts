import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { inputDimensions, inputLength } from '@fidelis/data';
import { unflatten, unflattenBuffers, type Model, type ModelWeights } from '@fidelis/models';
import {
  EAGER,
  tensorNamed,
  type FunctionCompiler,
  type NamedTensors,
  type RunnableFunction,
  type TensorFunction,
} from './tensor-function.js';

/** Values of one forward pass's inputs: 1,000 images of MNIST, 255 of CIFAR. What larger inputs hold in memory grows with them. */
const BATCH_VALUES = 784_000;
const MOST_ROWS = 1_000;

/** Rows of one forward pass, unless the caller says otherwise. Fixed for a model, so that the same row gives the same bits whoever asks. */
export function predictionBatchRows({ inputShape }: Model): number {
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(BATCH_VALUES / inputLength(inputShape))));
}

/** Logits of one model in eval mode, for any weights: one function, compiled once for each number of rows. */
export class Predictor {
  private readonly forward: RunnableFunction;

  constructor(
    private readonly model: Model,
    compiler: FunctionCompiler = EAGER,
  ) {
    this.forward = compiler.compile(`forward pass of ${model.architecture.name}`, forwardPass(model));
  }

  /**
   * @param inputs [rows][height][width][channels], scaled to [−1, 1], or [rows][length] of tokens
   * @returns [rows][classes]
   */
  predict(
    weights: ModelWeights,
    inputs: Float32Array,
    rows: number,
    batchRows: number = predictionBatchRows(this.model),
  ): Float32Array {
    const { inputShape, classes } = this.model;
    const dimensions = inputDimensions(inputShape);
    const rowLength = inputLength(inputShape);
    const logits = new Float32Array(rows * classes);
    tf.tidy(() => {
      const named = uploadWeights(weights);
      for (let row = 0; row < rows; row += batchRows) {
        const count = Math.min(batchRows, rows - row);
        const batch = inputs.subarray(row * rowLength, (row + count) * rowLength);
        tf.tidy(() => {
          const outputs = this.forward.run({ ...named, inputs: tf.tensor(batch, [count, ...dimensions]) });
          logits.set(tensorNamed(outputs, 'logits').dataSync(), row * classes);
        });
      }
    });
    return logits;
  }

  dispose(): void {
    this.forward.dispose();
  }
}

/** Logits in eval mode, once: as `Predictor.predict`, one operation after the other. */
export function predict(
  model: Model,
  weights: ModelWeights,
  inputs: Float32Array,
  rows: number,
  batchRows?: number,
): Float32Array {
  return new Predictor(model).predict(weights, inputs, rows, batchRows);
}

function uploadWeights({ parameters, buffers }: ModelWeights): NamedTensors {
  return {
    parameters: tf.tensor1d(parameters),
    ...(buffers.length === 0 ? {} : { buffers: tf.tensor1d(buffers) }),
  };
}

function forwardPass(model: Model): TensorFunction {
  return (given) =>
    tf.tidy((): NamedTensors & tf.TensorContainerObject => {
      const parameters = unflatten(model, tensorNamed(given, 'parameters'));
      const buffers: Tensor[] =
        model.bufferCount === 0 ? [] : unflattenBuffers(model, tensorNamed(given, 'buffers'));
      const inputs = tensorNamed(given, 'inputs');
      return { logits: model.forward({ parameters, buffers, mode: 'eval' }, inputs).logits };
    });
}
