import * as tf from '@tensorflow/tfjs-core';
import type { NamedTensorInfoMap, Tensor } from '@tensorflow/tfjs-core';
import { FidelisError } from '@fidelis/contracts';
import { requireNumber } from './kernel-attributes.js';
import { TRAINING_KERNELS } from './kernel-names.js';
import { registerWasm, tensorInput } from './wasm-kernel.js';

const GATES = 4;
/** What nothing here is composed for: on wasm LeNet and MLP train, and every model infers. */
const NATIVE_TRAINING = {
  [TRAINING_KERNELS.convolutionFilterGrad]: 'a convolution with a stride',
  [TRAINING_KERNELS.convolutionInputGrad]: 'a convolution with a stride',
  // Before the memory of WebAssembly is full of a deep network's activations, as it would be by the time of the gradient.
  [TRAINING_KERNELS.batchNormTraining]: 'batch normalisation',
  [TRAINING_KERNELS.batchNormGrad]: 'batch normalisation',
  [TRAINING_KERNELS.lstmGrad]: 'a recurrent layer',
};

/** What inference needs of the models and tfjs-backend-wasm lacks, composed of the backend's own kernels. */
export function registerWasmInferenceKernels(): void {
  registerWasm(TRAINING_KERNELS.batchNormInference, (inputs, attributes) =>
    normalised(
      inputs,
      tensorInput(inputs, 'mean'),
      tensorInput(inputs, 'variance'),
      requireNumber(attributes, 'epsilon'),
    ),
  );
  registerWasm(TRAINING_KERNELS.tableLookup, (inputs) =>
    tf.gather(tensorInput(inputs, 'table'), tensorInput(inputs, 'rows')),
  );
  registerWasm(TRAINING_KERNELS.reverseSequence, reverseSequence);
  registerWasm(TRAINING_KERNELS.lstm, recurrentLayer);
  for (const [kernel, what] of Object.entries(NATIVE_TRAINING)) {
    registerWasm(kernel, () => {
      throw new FidelisError(
        'COMPUTE.UNAVAILABLE',
        `the wasm backend cannot train ${what}: lenet5 and mlp train there; for other models use native TensorFlow ("fidelis doctor" says why it is not used)`,
      );
    });
  }
}

function normalised(inputs: NamedTensorInfoMap, mean: Tensor, variance: Tensor, epsilon: number): Tensor {
  const factor = tf.mul(tensorInput(inputs, 'scale'), tf.rsqrt(tf.add(variance, epsilon)));
  const centred = tf.sub(tensorInput(inputs, 'x'), mean);
  return tf.add(tf.mul(centred, factor), tensorInput(inputs, 'offset'));
}

/** The places of the steps are worked out here: nothing records what runs on wasm. */
function reverseSequence(inputs: NamedTensorInfoMap): Tensor {
  const x = tensorInput(inputs, 'x');
  const lengths = tensorInput(inputs, 'lengths').dataSync<'int32'>();
  const [steps = 0, rows = 0, columns = 0] = x.shape;
  const places = Int32Array.from({ length: steps * rows }, (_, at) => {
    const [step, row] = [Math.floor(at / rows), at % rows];
    const length = lengths[row] ?? 0;
    return (step < length ? length - 1 - step : step) * rows + row;
  });
  const turned = tf.gather(tf.reshape(x, [steps * rows, columns]), tf.tensor1d(places, 'int32'));
  return tf.reshape(turned, x.shape);
}

/** Step by step, with the gates in PyTorch's order. */
function recurrentLayer(inputs: NamedTensorInfoMap): Tensor[] {
  const x = tensorInput(inputs, 'x');
  const w = tensorInput(inputs, 'w');
  const b = tensorInput(inputs, 'b');
  const [steps = 0, rows = 0, width = 0] = x.shape;
  const cells = (b.shape[0] ?? 0) / GATES;
  const [inputWeight, hiddenWeight] = tf.split(w, [width, cells], 0);
  if (inputWeight === undefined || hiddenWeight === undefined)
    throw new RangeError('the weights have two parts');
  const fromInputs = tf.add(tf.matMul(tf.reshape(x, [steps * rows, width]), inputWeight), b);
  let cell: Tensor = tf.zeros([rows, cells]);
  let hidden: Tensor = tf.zeros([rows, cells]);
  const states: Tensor[][] = [];
  for (let step = 0; step < steps; step++) {
    const gates = tf.add(
      tf.slice(fromInputs, [step * rows, 0], [rows, GATES * cells]),
      tf.matMul(hidden, hiddenWeight),
    );
    const gate = (index: number): Tensor => tf.slice(gates, [0, index * cells], [rows, cells]);
    const input = tf.sigmoid(gate(0));
    const forget = tf.sigmoid(gate(1));
    const candidate = tf.tanh(gate(2));
    const output = tf.sigmoid(gate(3));
    cell = tf.add(tf.mul(forget, cell), tf.mul(input, candidate));
    const shown = tf.tanh(cell);
    hidden = tf.mul(output, shown);
    states.push([input, cell, forget, output, candidate, shown, hidden]);
  }
  const [first = []] = states;
  return first.map((_, kind) => tf.stack(states.map((state) => state[kind] ?? hidden)));
}
