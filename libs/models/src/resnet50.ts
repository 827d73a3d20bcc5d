import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { isImageShape, type InputShape } from '@fidelis/data';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { add, globalMean, paddedMaxPool, relu } from './layer-operations.js';
import type { Model } from './model.js';
import { NetworkBuilder, sequence, type Layer } from './network-builder.js';

const FIRST_CHANNELS = 64;
const EXPANSION = 4;
const STAGES = [
  { width: 64, blocks: 3 },
  { width: 128, blocks: 4 },
  { width: 256, blocks: 6 },
  { width: 512, blocks: 3 },
];
/** Five halvings leave one pixel of 32. */
const LEAST_SIZE = 32;

/**
 * ResNet-50 for ImageNet (He et al. 2015, with torchvision's stride in the 3×3 convolution of a block). Made for 224×224, takes any size
 * from 32×32: the last layer sees the mean over the image.
 *
 * @throws FidelisError MODEL.MISMATCH for text, or images below 32×32
 */
export function resnet50(architecture: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  if (!isImageShape(inputShape))
    throw new FidelisError('MODEL.MISMATCH', 'resnet50 takes images, not text: use bilstm or mlp');
  const { height, width, channels } = inputShape;
  if (Math.min(height, width) < LEAST_SIZE) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      `resnet50 takes images of ${LEAST_SIZE}×${LEAST_SIZE} or more, not ${height}×${width}: use preresnet20 or mlp`,
    );
  }
  const builder = new NetworkBuilder();
  const layers: Layer[] = [
    builder.convolution('conv1', {
      size: 7,
      stride: 2,
      padding: 3,
      inputs: channels,
      outputs: FIRST_CHANNELS,
      first: true,
    }),
    builder.normalisation('norm1', 'batch', FIRST_CHANNELS),
    relu,
    (x) => paddedMaxPool(x),
  ];
  let inputs = FIRST_CHANNELS;
  STAGES.forEach(({ width: blockWidth, blocks }, stage) => {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const name = `stage${stage + 1}.block${block + 1}`;
      layers.push(bottleneck(builder, name, { inputs, width: blockWidth, stride }));
      inputs = blockWidth * EXPANSION;
    }
  });
  const body = sequence(layers);
  const dense = builder.dense('dense', inputs, classes);
  return builder.model({ architecture, inputShape, classes }, (images, pass) =>
    dense(globalMean(body(images as Tensor4D, pass)), pass),
  );
}

function bottleneck(
  builder: NetworkBuilder,
  name: string,
  { inputs, width, stride }: { readonly inputs: number; readonly width: number; readonly stride: number },
): Layer {
  const outputs = width * EXPANSION;
  const normalised = (suffix: string, channels: number, convolution: Layer): Layer =>
    sequence([convolution, builder.normalisation(`${name}.${suffix}`, 'batch', channels)]);
  const branch = sequence([
    normalised('norm1', width, builder.convolution(`${name}.conv1`, { size: 1, inputs, outputs: width })),
    relu,
    normalised(
      'norm2',
      width,
      builder.convolution(`${name}.conv2`, { size: 3, padding: 1, inputs: width, outputs: width, stride }),
    ),
    relu,
    normalised('norm3', outputs, builder.convolution(`${name}.conv3`, { size: 1, inputs: width, outputs })),
  ]);
  const shortcut =
    stride === 1 && inputs === outputs
      ? undefined
      : normalised(
          'shortcutNorm',
          outputs,
          builder.convolution(`${name}.shortcut`, { size: 1, inputs, outputs, stride }),
        );
  return (x, pass) => relu(add(branch(x, pass), shortcut === undefined ? x : shortcut(x, pass)));
}
