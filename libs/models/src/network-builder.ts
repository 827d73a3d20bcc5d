import type { ArchitectureSpec } from '@fidelis/contracts';
import type { ImageShape, InputShape } from '@fidelis/data';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { addBias, convolve, maxPool, multiply } from './layer-operations.js';
import {
  countOf,
  type BufferSpec,
  type ForwardPass,
  type Model,
  type NormalInit,
  type ParameterSpec,
  type UniformInit,
} from './model.js';
import { batchNormalise, layerNormalise } from './normalisation.js';

/** What the layers of one forward pass share. */
export interface LayerPass {
  readonly given: ForwardPass;
  /** The buffers after this pass: a layer replaces its own. */
  readonly buffers: Tensor[];
}

export type Layer = (x: Tensor4D, pass: LayerPass) => Tensor4D;
export type DenseLayer = (x: Tensor2D, pass: LayerPass) => Tensor2D;

export interface ConvolutionOptions {
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  /** @default 1 */
  readonly stride?: number;
  /** Zeros on each side of both axes, as PyTorch counts them. @default 0 */
  readonly padding?: number;
  /** @default no bias */
  readonly bias?: boolean;
  /**
   * The largest of each 2×2 block, taken before the bias: adding a constant to a channel, and ReLU after it, change no order, so the values are
   * those of pooling last, while bias, ReLU and their gradients see a quarter of the numbers.
   *
   * @default no pooling
   */
  readonly pooled?: boolean;
  /**
   * `fan-out`: normal of variance 2 / (size² · outputs), bias 0 (He et al. 2015). `default`: as PyTorch starts a layer.
   *
   * @default 'fan-out'
   */
  readonly init?: 'fan-out' | 'default';
  /** True for the layer that takes the model's inputs, whose gradient nobody asks for. @default false */
  readonly first?: boolean;
}

/** How images are normalised: by the batch's statistics, or each by its own (group normalisation with one group). */
export type NormKind = 'batch' | 'layer';

/**
 * Declares a network's parameters and buffers, in the order of the calls, and gives the layers that use them. The layers know their
 * places in the flat buffers, and hold no values.
 */
export class NetworkBuilder {
  private readonly parameters: ParameterSpec[] = [];
  private readonly buffers: BufferSpec[] = [];

  parameter(spec: ParameterSpec): <T extends Tensor>(pass: LayerPass) => T {
    const index = this.parameters.push(spec) - 1;
    return <T extends Tensor>({ given }: LayerPass): T => entry(given.parameters, index) as T;
  }

  convolution(name: string, options: ConvolutionOptions): Layer {
    const { size, inputs, outputs, stride = 1, padding = 0, first = false } = options;
    const init: NormalInit | UniformInit =
      options.init === 'default'
        ? defaultInit(size * size * inputs)
        : { kind: 'normal', deviation: Math.sqrt(2 / (size * size * outputs)) };
    const shape = [size, size, inputs, outputs];
    const filter = this.parameter({
      name: `${name}.weight`,
      shape,
      layout: { kind: 'convolution' },
      init,
    });
    const convolved: Layer = (x, pass) =>
      convolve(x, filter(pass), { stride, padding, needsInputGradient: !first });
    const run: Layer = options.pooled === true ? sequence([convolved, maxPool]) : convolved;
    if (options.bias !== true) return run;
    const bias = this.parameter({
      name: `${name}.bias`,
      shape: [outputs],
      init: init.kind === 'uniform' ? init : { kind: 'constant', value: 0 },
    });
    return (x, pass) => addBias(run(x, pass), bias(pass));
  }

  /**
   * Weight and bias with PyTorch's default initialisation: Kaiming-uniform with a = √5, which is U(±1/√fan_in) for both.
   *
   * @param flattened the images that became the inputs, where they did
   */
  dense(
    name: string,
    inputs: number,
    outputs: number,
    { first = false, flattened }: { readonly first?: boolean; readonly flattened?: ImageShape } = {},
  ): DenseLayer {
    const init = defaultInit(inputs);
    const weight = this.parameter({
      name: `${name}.weight`,
      shape: [inputs, outputs],
      layout: { kind: 'dense', ...(flattened === undefined ? {} : { flattened }) },
      init,
    });
    const bias = this.parameter({
      name: `${name}.bias`,
      shape: [outputs],
      init,
    });
    return (x, pass) => addBias(multiply(x, weight(pass), !first), bias(pass));
  }

  normalisation(name: string, kind: NormKind, channels: number): Layer {
    const vector = (suffix: string, value: number): BufferSpec => ({
      name: `${name}.${suffix}`,
      shape: [channels],
      init: { kind: 'constant', value },
    });
    const scale = this.parameter(vector('weight', 1));
    const offset = this.parameter(vector('bias', 0));
    if (kind === 'layer') return (x, pass) => layerNormalise(x, scale<Tensor1D>(pass), offset(pass));
    const mean = this.buffers.push(vector('mean', 0)) - 1;
    const variance = this.buffers.push(vector('variance', 1)) - 1;
    return (x, pass) => {
      const result = batchNormalise(x, {
        scale: scale(pass),
        offset: offset(pass),
        mean: entry(pass.given.buffers, mean) as Tensor1D,
        variance: entry(pass.given.buffers, variance) as Tensor1D,
        mode: pass.given.mode,
      });
      pass.buffers[mean] = result.mean;
      pass.buffers[variance] = result.variance;
      return result.value;
    };
  }

  /** @param network from the inputs to the logits [N, classes] */
  model(
    spec: {
      readonly architecture: ArchitectureSpec;
      readonly inputShape: InputShape;
      readonly classes: number;
    },
    network: (inputs: Tensor, pass: LayerPass) => Tensor2D,
  ): Model {
    const { parameters, buffers } = this;
    return {
      ...spec,
      parameters,
      parameterCount: countOf(parameters),
      buffers,
      bufferCount: countOf(buffers),
      forward: (given, inputs) => {
        const pass: LayerPass = { given, buffers: [...given.buffers] };
        return { logits: network(inputs, pass), buffers: pass.buffers };
      },
    };
  }
}

function defaultInit(fanIn: number): UniformInit {
  return { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) };
}

function entry(tensors: readonly Tensor[], index: number): Tensor {
  const tensor = tensors[index];
  if (tensor === undefined) throw new RangeError(`the pass has no tensor ${index}`);
  return tensor;
}

/** Layers, one after the other. */
export function sequence(layers: readonly Layer[]): Layer {
  return (x, pass) => layers.reduce((value, layer) => layer(value, pass), x);
}
