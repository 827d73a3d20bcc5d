import type { ArchitectureName } from '@fidelis/contracts';
import type { InputShape } from '@fidelis/data';
import { createModel } from './create-model.js';

/** An architecture with the input and the classes that it is usually given. */
export interface CatalogueEntry {
  readonly name: ArchitectureName;
  readonly description: string;
  /** What it takes, in words. */
  readonly takes: string;
  /** For which the parameters are counted. */
  readonly inputShape: InputShape;
  readonly classes: number;
  readonly parameters: number;
}

const MNIST = { height: 28, width: 28, channels: 1 };
const CIFAR = { height: 32, width: 32, channels: 3 };
const IMAGENET = { height: 224, width: 224, channels: 3 };
/** Words of the sentence polarity texts that are not rare, roughly: the embedding has a row for each. */
const TEXT = { length: 64, vocabulary: 10_000 };

const ENTRIES: Readonly<Record<ArchitectureName, Omit<CatalogueEntry, 'name' | 'parameters'>>> = {
  lenet5: {
    description: 'LeNet-5: two convolutions, three dense layers',
    takes: 'images of 28×28 or 32×32',
    inputShape: MNIST,
    classes: 10,
  },
  mlp: { description: 'dense layers (hiddenUnits)', takes: 'any input', inputShape: MNIST, classes: 10 },
  preresnet20: preresnet('basic blocks'),
  preresnet56: preresnet('bottlenecks'),
  preresnet110: preresnet('bottlenecks'),
  vgg16: {
    description: 'VGG-16 without batch normalisation',
    takes: 'images from 32×32',
    inputShape: CIFAR,
    classes: 100,
  },
  resnet50: {
    description: 'ResNet-50 for ImageNet',
    takes: 'images from 32×32',
    inputShape: IMAGENET,
    classes: 1_000,
  },
  bilstm: {
    description: 'bidirectional LSTM, two layers of 70 cells',
    takes: 'texts, padded at the end with 0',
    inputShape: TEXT,
    classes: 2,
  },
};

function preresnet(blocks: string): Omit<CatalogueEntry, 'name' | 'parameters'> {
  return {
    description: `pre-activation ResNet of ${blocks} (norm: batch or layer)`,
    takes: 'images from 8×8',
    inputShape: CIFAR,
    classes: 100,
  };
}

/** Every architecture, in the order of the names in a spec. */
export function modelCatalogue(): readonly CatalogueEntry[] {
  return (Object.keys(ENTRIES) as ArchitectureName[]).map((name) => {
    const entry = ENTRIES[name];
    const { parameterCount } = createModel({ name }, entry.inputShape, entry.classes);
    return { name, ...entry, parameters: parameterCount };
  });
}
