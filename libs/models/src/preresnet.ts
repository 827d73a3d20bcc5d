import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { isImageShape, type InputShape } from '@fidelis/data';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { add, globalMean, relu } from './layer-operations.js';
import type { Model } from './model.js';
import { NetworkBuilder, sequence, type Layer, type NormKind } from './network-builder.js';

const FIRST_CHANNELS = 16;
const STAGE_CHANNELS = [16, 32, 64];
/** From this depth on blocks are bottlenecks. */
const BOTTLENECK_DEPTH = 44;
const BOTTLENECK_EXPANSION = 4;
/** Two halvings leave two pixels of eight. */
const LEAST_SIZE = 8;

/**
 * A residual network with pre-activation (He et al. 2016) for small images: a convolution, three stages of 16, 32 and 64 channels with a
 * halving between them, the mean over the image, and the classes. Blocks are basic (two 3×3 convolutions) up to depth 43, n = (depth −
 * 2)/6 of them in a stage; bottlenecks (1×1, 3×3, 1×1 with four times the channels) from 44 on, n = (depth − 2)/9. A shortcut whose
 * shape changes is a 1×1 convolution of the block's input.
 *
 * @throws FidelisError MODEL.MISMATCH for text, or images below 8×8
 */
export function preresnet(
  depth: number,
): (architecture: ArchitectureSpec, inputShape: InputShape, classes: number) => Model {
  const bottleneck = depth >= BOTTLENECK_DEPTH;
  const blocks = (depth - 2) / (bottleneck ? 9 : 6);
  const expansion = bottleneck ? BOTTLENECK_EXPANSION : 1;
  return (architecture, inputShape, classes) => {
    if (!isImageShape(inputShape)) {
      throw new FidelisError(
        'MODEL.MISMATCH',
        `${architecture.name} takes images, not text: use bilstm or mlp`,
      );
    }
    const { height, width } = inputShape;
    if (Math.min(height, width) < LEAST_SIZE) {
      throw new FidelisError(
        'MODEL.MISMATCH',
        `${architecture.name} takes images of ${LEAST_SIZE}×${LEAST_SIZE} or more, not ${height}×${width}: use mlp`,
      );
    }
    const builder = new NetworkBuilder();
    const norm = architecture.norm ?? 'batch';
    const first = builder.convolution('conv1', {
      size: 3,
      padding: 1,
      inputs: inputShape.channels,
      outputs: FIRST_CHANNELS,
      first: true,
    });
    const stages: Layer[] = [];
    let channels = FIRST_CHANNELS;
    STAGE_CHANNELS.forEach((width, stage) => {
      for (let block = 0; block < blocks; block++) {
        const shape = {
          inputs: channels,
          width,
          outputs: width * expansion,
          stride: stage > 0 && block === 0 ? 2 : 1,
        };
        const name = `stage${stage + 1}.block${block + 1}`;
        stages.push(
          bottleneck ? bottleneckBlock(builder, name, norm, shape) : basicBlock(builder, name, norm, shape),
        );
        channels = shape.outputs;
      }
    });
    const body = sequence([first, ...stages, builder.normalisation('norm', norm, channels), relu]);
    const last = builder.dense('dense', channels, classes);
    return builder.model({ architecture, inputShape, classes }, (inputs, pass) =>
      last(globalMean(body(inputs as Tensor4D, pass)), pass),
    );
  };
}

interface BlockShape {
  readonly inputs: number;
  /** Channels of the 3×3 convolutions. */
  readonly width: number;
  readonly outputs: number;
  readonly stride: number;
}

function basicBlock(builder: NetworkBuilder, name: string, norm: NormKind, shape: BlockShape): Layer {
  const { inputs, outputs, stride } = shape;
  return residual(
    sequence([
      builder.normalisation(`${name}.norm1`, norm, inputs),
      relu,
      builder.convolution(`${name}.conv1`, { size: 3, padding: 1, inputs, outputs, stride }),
      builder.normalisation(`${name}.norm2`, norm, outputs),
      relu,
      builder.convolution(`${name}.conv2`, { size: 3, padding: 1, inputs: outputs, outputs }),
    ]),
    shortcut(builder, name, shape),
  );
}

function bottleneckBlock(builder: NetworkBuilder, name: string, norm: NormKind, shape: BlockShape): Layer {
  const { inputs, width, outputs, stride } = shape;
  return residual(
    sequence([
      builder.normalisation(`${name}.norm1`, norm, inputs),
      relu,
      builder.convolution(`${name}.conv1`, { size: 1, inputs, outputs: width }),
      builder.normalisation(`${name}.norm2`, norm, width),
      relu,
      builder.convolution(`${name}.conv2`, { size: 3, padding: 1, inputs: width, outputs: width, stride }),
      builder.normalisation(`${name}.norm3`, norm, width),
      relu,
      builder.convolution(`${name}.conv3`, { size: 1, inputs: width, outputs }),
    ]),
    shortcut(builder, name, shape),
  );
}

/** @returns undefined where the input is added as it is */
function shortcut(
  builder: NetworkBuilder,
  name: string,
  { inputs, outputs, stride }: BlockShape,
): Layer | undefined {
  if (stride === 1 && inputs === outputs) return undefined;
  return builder.convolution(`${name}.shortcut`, { size: 1, inputs, outputs, stride });
}

function residual(branch: Layer, shortcutLayer: Layer | undefined): Layer {
  return (x, pass) => add(branch(x, pass), shortcutLayer === undefined ? x : shortcutLayer(x, pass));
}
