import type { ArchitectureName } from '@fidelis/contracts';
import type { Model } from './model.js';

/**
 * How PyTorch's modules name a network's tensors: torchvision's where it has the architecture, else those of the reference modules in
 * test/parity/models, and of the paper's code. An architecture may have several; the first is the one that is written.
 */
export interface TorchNaming {
  /** For messages. */
  readonly of: string;
  /** The module that does the work of a layer of ours, or undefined where it has another name than this naming knows. */
  readonly module: (layer: string) => string | undefined;
}

/** The namings of an architecture. */
export function torchNamings({ architecture }: Model): readonly TorchNaming[] {
  return NAMINGS[architecture.name];
}

/** What the parts of a layer are called, by ours. Recurrent layers have a rule of their own. */
const SUFFIXES: Readonly<Record<string, string>> = {
  weight: 'weight',
  bias: 'bias',
  mean: 'running_mean',
  variance: 'running_var',
};
const RECURRENT_SUFFIXES: Readonly<Record<string, string>> = {
  inputWeight: 'weight_ih',
  hiddenWeight: 'weight_hh',
  inputBias: 'bias_ih',
  hiddenBias: 'bias_hh',
};

/**
 * PyTorch's name of a tensor.
 *
 * @param name ours: `<layer>.<part>`
 * @param module the name of the layer's module
 */
export function torchTensorName(
  name: string,
  module: (layer: string) => string | undefined,
): string | undefined {
  const dot = name.lastIndexOf('.');
  const [layer, part] = [name.slice(0, dot), name.slice(dot + 1)];
  const recurrent = /^lstm(\d+)\.(forward|backward)$/.exec(layer);
  const recurrentPart = RECURRENT_SUFFIXES[part];
  if (recurrent !== null && recurrentPart !== undefined) {
    const owner = module('lstm');
    const direction = recurrent[2] === 'backward' ? '_reverse' : '';
    return owner === undefined
      ? undefined
      : `${owner}.${recurrentPart}_l${Number(recurrent[1]) - 1}${direction}`;
  }
  const owner = module(layer);
  return owner === undefined ? undefined : `${owner}.${SUFFIXES[part] ?? part}`;
}

/** Modules by the names of our layers. */
function table(of: string, modules: Readonly<Record<string, string>>): TorchNaming {
  return { of, module: (layer) => (Object.hasOwn(modules, layer) ? modules[layer] : undefined) };
}

/** Convolutions of VGG-16 in torchvision's `features`, between ReLUs and poolings. */
const VGG_FEATURES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];

/** @param classifier places of the three dense layers: between them a variant has ReLUs, and dropouts or none */
function vggNaming(of: string, classifier: readonly number[]): TorchNaming {
  const modules = [
    ...VGG_FEATURES.map((place, index) => [`conv${index + 1}`, `features.${place}`]),
    ...classifier.map((place, index) => [`dense${index + 1}`, `classifier.${place}`]),
  ];
  return table(of, Object.fromEntries(modules) as Record<string, string>);
}

const PRERESNET: TorchNaming = {
  of: 'the pre-activation ResNet of the paper’s code',
  module: (layer) => {
    const fixed = { conv1: 'conv1', norm: 'bn', dense: 'fc' }[layer];
    return fixed ?? blockModule(layer, { shortcut: 'downsample.0' });
  },
};

const RESNET: TorchNaming = {
  of: 'torchvision',
  module: (layer) => {
    const fixed = { conv1: 'conv1', norm1: 'bn1', dense: 'fc' }[layer];
    return fixed ?? blockModule(layer, { shortcut: 'downsample.0', shortcutNorm: 'downsample.1' });
  },
};

/** `stage2.block1.norm3` is `layer2.0.bn3`. */
function blockModule(layer: string, special: Readonly<Record<string, string>>): string | undefined {
  const match = /^stage(\d+)\.block(\d+)\.(\w+)$/.exec(layer);
  if (match === null) return undefined;
  const [, stage = '', block = '', part = ''] = match;
  return `layer${stage}.${Number(block) - 1}.${special[part] ?? part.replace(/^norm/, 'bn')}`;
}

const NAMINGS: Readonly<Record<ArchitectureName, readonly TorchNaming[]>> = {
  lenet5: [
    table('the reference LeNet-5', {
      conv1: 'conv1',
      conv2: 'conv2',
      dense1: 'fc1',
      dense2: 'fc2',
      dense3: 'fc3',
    }),
    table('the paper’s code', { conv1: '0', conv2: '3', dense1: '7', dense2: '9', dense3: '11' }),
  ],
  mlp: [{ of: 'the reference mlp', module: (layer) => layer.replace(/^dense/, 'fc') }],
  preresnet20: [PRERESNET],
  preresnet56: [PRERESNET],
  preresnet110: [PRERESNET],
  vgg16: [
    vggNaming('torchvision', [0, 3, 6]),
    vggNaming('the paper’s code', [1, 4, 6]),
    vggNaming('a classifier without dropout', [0, 2, 4]),
  ],
  resnet50: [RESNET],
  bilstm: [table('the paper’s code', { embedding: 'embed', lstm: 'lstm', dense: 'linear' })],
};
