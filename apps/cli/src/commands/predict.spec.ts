import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBackend } from '@fidelis/compute';
import { predict as predictHere } from '@fidelis/distillation';
import {
  createModel,
  decodeSafetensors,
  encodeSafetensors,
  encodeWeights,
  exportTorchWeights,
  initialWeights,
} from '@fidelis/models';
import { openArray } from '@fidelis/tables';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';
import { npyBytes } from '../testing/npy-file.js';

const SHAPE = { height: 8, width: 9, channels: 2 };
const ROWS = 5;
const CLASSES = 3;
const model = createModel({ name: 'preresnet20' }, SHAPE, CLASSES);
const weights = initialWeights(model, 4);
const images = Float32Array.from({ length: ROWS * 8 * 9 * 2 }, (_, i) => Math.fround(Math.sin(i)));
/** The same images with the channels first. */
const turned = Float32Array.from({ length: images.length }, (_, at) => {
  const [row, channel, pixel] = [Math.floor(at / 144), Math.floor(at / 72) % 2, at % 72];
  return images[row * 144 + pixel * 2 + channel] ?? NaN;
});

let expected: Float32Array;
let fixture: CommandFixture;
const at = (name: string): string => join(fixture.directory, name);

beforeAll(async () => {
  await startBackend({ preference: 'wasm' });
  expected = predictHere(model, weights, images, ROWS);
});

beforeEach(async () => {
  fixture = await CommandFixture.create();
  await writeFile(at('ours.safetensors'), encodeWeights(model, weights));
  await writeFile(at('torch.safetensors'), exportTorchWeights(model, weights));
  await writeFile(at('x.npy'), npyBytes(images, [ROWS, 8, 9, 2]));
  await writeFile(at('turned.npy'), npyBytes(turned, [ROWS, 2, 8, 9]));
});

afterEach(() => fixture.dispose());

const DEFAULTS: Readonly<Record<string, string>> = {
  arch: 'preresnet20',
  classes: String(CLASSES),
  weights: 'ours.safetensors',
  input: 'x.npy',
  output: 'z.npy',
  backend: 'wasm',
};

function predict(changes: Readonly<Record<string, string>> = {}): ReturnType<CommandFixture['run']> {
  const options = Object.entries({ ...DEFAULTS, ...changes }).flatMap(([name, value]) => [
    `--${name}`,
    /\.(npy|safetensors|yaml)$/.test(value) ? at(value) : value,
  ]);
  return fixture.run(['predict', ...options, '--json']);
}

async function logits(): Promise<Float32Array> {
  const array = await openArray(at('z.npy'));
  expect(array.shape).toEqual([ROWS, CLASSES]);
  expect(array.dtype).toBe('float32');
  return Float32Array.from(await array.numbers());
}

describe('fidelis predict', () => {
  it.each([
    ['our weights', {}],
    ['weights of PyTorch', { weights: 'torch.safetensors' }],
    ['images with the channels first', { input: 'turned.npy', layout: 'nchw' }],
  ])('gives the logits of the network: %s', async (_, changes) => {
    const { status, stdout } = await predict(changes);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      parameters: model.parameterCount,
      samples: ROWS,
      backend: 'wasm',
    });
    expect(await logits()).toEqual(expected);
  });

  it('takes names of others from a map', async () => {
    const { tensors } = decodeSafetensors(await readFile(at('torch.safetensors')));
    const renamed = tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(/^fc\./, 'head.') }));
    await writeFile(at('other.safetensors'), encodeSafetensors({ tensors: renamed, metadata: {} }));
    const refused = await predict({ weights: 'other.safetensors' });
    expect(refused.status).toBe(2);
    expect(errorOf(refused).message).toContain('tensor "fc.weight" is missing, and "head.weight" is none');
    await writeFile(at('map.yaml'), 'dense: head\n');
    expect((await predict({ weights: 'other.safetensors', map: 'map.yaml' })).status).toBe(0);
    expect(await logits()).toEqual(expected);
  });

  it('reads texts, with the vocabulary of the weights', async () => {
    const text = createModel({ name: 'bilstm' }, { length: 4, vocabulary: 11 }, 2);
    await writeFile(at('text.safetensors'), encodeWeights(text, initialWeights(text, 1)));
    const options = { arch: 'bilstm', classes: '2', weights: 'text.safetensors', input: 'words.npy' };
    await writeFile(at('words.npy'), npyBytes(Int32Array.of(1, 2, 3, 0, 10, 0, 0, 0), [2, 4]));
    expect((await predict(options)).status).toBe(0);
    await writeFile(at('words.npy'), npyBytes(Int32Array.of(1, 2, 3, 11), [1, 4]));
    const refused = await predict(options);
    expect(refused.status).toBe(2);
    expect(errorOf(refused).message).toContain('the input has the word 11');
  });

  it.each([
    ['weights that are not there', { weights: 'none.safetensors' }, 'there is no such file of weights'],
    ['weights that are none', { weights: 'x.npy' }, 'not a file of weights'],
    ['weights of another network', { arch: 'vgg16', input: 'large.npy' }, 'do not fit vgg16'],
    ['another number of classes', { classes: '4' }, 'tensor "dense.weight" is [64, 3], not [64, 4]'],
    ['inputs that are not there', { input: 'none.npy' }, 'there is no such file'],
    ['inputs of another shape', { input: 'flat.npy' }, 'images are (samples, height, width, channels)'],
    ['whole numbers as images', { input: 'whole.npy' }, 'images are float32, scaled'],
    ['numbers that are none', { input: 'nan.npy' }, 'not finite in sample 1'],
    ['a network for other inputs', { arch: 'bilstm' }, 'texts are (samples, words)'],
    ['a field for other networks', { norm: 'layer', arch: 'lenet5' }, 'has no norm to choose'],
    ['a map that is none', { map: 'map.yaml' }, 'a map has lines'],
    ['an unknown name in a map', { map: 'unknown.yaml' }, 'no layer of preresnet20'],
    ['an output that cannot be', { output: 'none/z.npy' }, 'cannot be written'],
  ])('refuses %s: status 2, and says what to do', async (_, changes, message) => {
    await writeFile(at('large.npy'), npyBytes(new Float32Array(32 * 32 * 3), [1, 32, 32, 3]));
    await writeFile(at('flat.npy'), npyBytes(images, [ROWS, 144]));
    await writeFile(at('whole.npy'), npyBytes(new Int32Array(144), [1, 8, 9, 2]));
    await writeFile(at('nan.npy'), npyBytes(new Float32Array(288).fill(NaN, 200, 201), [2, 8, 9, 2]));
    await writeFile(at('map.yaml'), 'dense: [1]\n');
    await writeFile(at('unknown.yaml'), 'dens: head\n');
    const result = await predict(changes);
    expect(errorOf(result).message).toContain(message);
    expect(result.status).toBe(2);
  });
});

describe('fidelis models', () => {
  it('lists every architecture with its parameters', async () => {
    const { stdout, status } = await fixture.run(['models', '--json']);
    expect(status).toBe(0);
    const { models } = JSON.parse(stdout) as { models: { name: string; parameters: number }[] };
    expect(Object.fromEntries(models.map(({ name, parameters }) => [name, parameters]))).toMatchObject({
      lenet5: 61_706,
      preresnet20: 278_132,
      preresnet56: 613_556,
      preresnet110: 1_169_972,
      vgg16: 15_291_300,
      resnet50: 25_557_032,
    });
    expect((await fixture.run(['models'])).stdout).toContain('bilstm');
  });
});
