import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { isImageShape, type InputShape } from '@fidelis/data';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { Model, ParameterSpec } from './model.js';
import { NetworkBuilder, type LayerPass } from './network-builder.js';
import { firstStep, join, lookUp, lstm, reverseSequences } from './recurrent-operations.js';

/** The paper's sizes (appendix A.2). */
const EMBEDDING = 128;
const CELLS = 70;
const LAYERS = 2;
const GATES = 4;

/**
 * A bidirectional LSTM for texts: an embedding of 128, two layers of 70 cells in each direction, and the classes of the last layer's two
 * final states. 231,002 parameters without the embedding, for two classes. Padding never matters: see `recurrent-operations`.
 *
 * @throws FidelisError MODEL.MISMATCH for images
 */
export function bilstm(architecture: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  if (isImageShape(inputShape)) {
    throw new FidelisError('MODEL.MISMATCH', 'bilstm takes text, not images: use lenet5, preresnet20 or mlp');
  }
  const builder = new NetworkBuilder();
  const embedding = builder.parameter({
    name: 'embedding.weight',
    shape: [inputShape.vocabulary, EMBEDDING],
    layout: { kind: 'table' },
    init: { kind: 'normal', deviation: 1 },
  });
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    const inputs = layer === 0 ? EMBEDDING : 2 * CELLS;
    const name = `lstm${layer + 1}`;
    return {
      forward: recurrentLayer(builder, `${name}.forward`, inputs),
      backward: recurrentLayer(builder, `${name}.backward`, inputs),
    };
  });
  const dense = builder.dense('dense', 2 * CELLS, classes);
  return builder.model({ architecture, inputShape, classes }, (inputs, pass) => {
    const tokens = tf.transpose(tf.cast(inputs, 'int32')) as Tensor2D;
    const lengths = textLengths(inputs as Tensor2D);
    let states: Tensor3D = lookUp(embedding(pass), tokens);
    let last: Tensor2D | undefined;
    for (const { forward, backward } of layers) {
      const ahead = forward(states, pass);
      const turned = backward(reverseSequences(states, lengths), pass);
      // The state after a text's last word comes first when the text is turned round; that of the layer which reads backwards is its own
      // last one, first in the text.
      const back = reverseSequences(turned, lengths);
      last = join(firstStep(reverseSequences(ahead, lengths)), firstStep(back));
      states = join(ahead, back);
    }
    if (last === undefined) throw new RangeError('a recurrent network has a layer');
    return dense(last, pass);
  });
}

function recurrentLayer(
  builder: NetworkBuilder,
  name: string,
  inputs: number,
): (x: Tensor3D, pass: LayerPass) => Tensor3D {
  // PyTorch starts all of a recurrent layer so.
  const init = { kind: 'uniform', bound: 1 / Math.sqrt(CELLS) } as const;
  const matrix = (suffix: string, rows: number): ParameterSpec => ({
    name: `${name}.${suffix}`,
    shape: [rows, GATES * CELLS],
    layout: { kind: 'dense' },
    init,
  });
  const vector = (suffix: string): ParameterSpec => ({
    name: `${name}.${suffix}`,
    shape: [GATES * CELLS],
    init,
  });
  const input = builder.parameter(matrix('inputWeight', inputs));
  const hidden = builder.parameter(matrix('hiddenWeight', CELLS));
  const inputBias = builder.parameter(vector('inputBias'));
  const hiddenBias = builder.parameter(vector('hiddenBias'));
  return (x, pass) =>
    lstm(x, {
      input: input(pass),
      hidden: hidden(pass),
      inputBias: inputBias(pass),
      hiddenBias: hiddenBias(pass),
    });
}

/** Words of each text: what is not padding, and one at least, since the state after no word is none. */
function textLengths(tokens: Tensor2D): Tensor1D {
  const words = tf.sum(tf.cast(tf.notEqual(tokens, tf.scalar(0)), 'float32'), 1);
  return tf.cast<Tensor1D>(tf.maximum(words, tf.scalar(1)), 'int32');
}
