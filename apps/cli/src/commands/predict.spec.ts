import { existsSync, readdirSync } from 'node:fs';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readFile,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
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
import type { CommandHost } from '../command-host.js';
import { InterruptedError } from '../exit-status.js';
import { readInputs } from '../predict/input-array.js';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';
import { npyBytes, npyHeader } from '../testing/npy-file.js';

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

let nativeProblem: string | undefined;

beforeAll(async () => {
  nativeProblem = await startBackend({ preference: 'native' }).then(
    () => undefined,
    (error: Error) => error.message,
  );
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

function predict(
  changes: Readonly<Record<string, string>> = {},
  more: readonly string[] = [],
  host: Partial<CommandHost> = {},
): ReturnType<CommandFixture['run']> {
  const options = Object.entries({ ...DEFAULTS, ...changes }).flatMap(([name, value]) => [
    `--${name}`,
    /\.(npy|safetensors|yaml)$/.test(value) ? at(value) : value,
  ]);
  return fixture.run(['predict', ...options, ...more, '--json'], host);
}

/** What an output is before it is complete. */
function hiddenFiles(): string[] {
  return readdirSync(fixture.directory).filter((name) => name.startsWith('.'));
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
    const counter = { name: 'head/num_batches_tracked', shape: [1], values: new Float32Array(1) };
    const others = encodeSafetensors({ tensors: [...renamed, counter], metadata: {} });
    await writeFile(at('other.safetensors'), others);
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
    ['numbers that are none', { input: 'nan.npy' }, 'not finite in sample 1 (from 0; NaN at place 56 of it)'],
    ['inputs in Fortran order', { input: 'fortran.npy' }, 'numpy.ascontiguousarray'],
    ['inputs that were cut off', { input: 'cut.npy' }, 'is truncated: 5 × 8 × 9 × 2 float32 need'],
    ['inputs that are no array', { input: 'ours.npy' }, 'is no .npy file'],
    ['inputs without a sample', { input: 'empty.npy' }, 'there is nothing in it'],
    ['inputs that are a directory', { input: 'folder.npy' }, 'is a directory. Give a file'],
    ['the input as the output', { output: 'x.npy' }, 'it is the input. Give another name'],
    ['an output that is a directory', { output: 'folder.npy' }, 'it is a directory'],
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
    const { length } = await readFile(at('x.npy'));
    const header = npyHeader('<f4', [ROWS, 8, 9, 2]);
    const body = (await readFile(at('x.npy'))).subarray(header.length);
    const fortran = header.toString('latin1').replace('False', 'True ');
    await writeFile(at('fortran.npy'), Buffer.concat([Buffer.from(fortran, 'latin1'), body]));
    await copyFile(at('x.npy'), at('cut.npy'));
    await truncate(at('cut.npy'), length - 1);
    await copyFile(at('ours.safetensors'), at('ours.npy'));
    await writeFile(at('empty.npy'), npyBytes(new Float32Array(0), [0, 8, 9, 2]));
    await mkdir(at('folder.npy'));
    await writeFile(at('z.npy'), 'of before');
    await writeFile(at('map.yaml'), 'dense: [1]\n');
    await writeFile(at('unknown.yaml'), 'dens: head\n');
    const result = await predict(changes);
    expect(errorOf(result).message).toContain(message);
    expect(result.status).toBe(2);
    expect(await readFile(at('z.npy'), 'utf8')).toBe('of before');
    expect(hiddenFiles()).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('refuses inputs that may not be read', async () => {
    await chmod(at('x.npy'), 0o000);
    const result = await predict();
    expect([result.status, errorOf(result).message]).toEqual([
      2,
      expect.stringContaining('Check its permissions'),
    ]);
  });
});

/** Larger than two messages to the compute process, and no whole number of forward passes. */
describe('many inputs', () => {
  const MANY = 12_345;
  const PASS_ROWS = 1_000;
  const dense = createModel(
    { name: 'mlp', hiddenUnits: [3] },
    { height: 28, width: 28, channels: 1 },
    CLASSES,
  );
  const denseWeights = initialWeights(dense, 2);
  const many = Float32Array.from({ length: MANY * 784 }, (_, i) =>
    Math.fround(((i * 7919) % 2003) / 1001 - 1),
  );
  const options = { arch: 'mlp', 'hidden-units': '3', weights: 'mlp.safetensors', input: 'many.npy' };

  beforeEach(async () => {
    await writeFile(at('mlp.safetensors'), encodeWeights(dense, denseWeights));
    await writeFile(at('many.npy'), npyBytes(many, [MANY, 28, 28, 1]));
  });

  it.each([
    ['wasm', 'eager', []],
    ['native', 'graph', []],
    ['native', 'eager', ['--eager']],
  ] as const)('are read and computed a batch at a time: %s, %s', async (backend, execution, more) => {
    if (backend === 'native' && nativeProblem !== undefined) return;
    const result = await predict({ ...options, backend }, more);
    expect(result.status).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ execution, samples: MANY });
    const array = await openArray(at('z.npy'));
    expect(array.shape).toEqual([MANY, CLASSES]);
    const values = Float32Array.from(await array.numbers());
    const wanted = predictHere(dense, denseWeights, many, MANY, PASS_ROWS);
    if (backend === 'wasm') expect(values).toEqual(wanted);
    const error = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? NaN))), 0);
    expect(error).toBeLessThan(1e-6);
    if (execution === 'graph') {
      await predict({ ...options, backend, output: 'eager.npy' }, ['--eager']);
      expect(await (await openArray(at('eager.npy'))).numbers()).toEqual(values);
    }
  });

  it('with a value that is none near the end leave no output, and what was there stays', async () => {
    many[MANY * 784 - 1] = Infinity;
    await writeFile(at('many.npy'), npyBytes(many, [MANY, 28, 28, 1]));
    many[MANY * 784 - 1] = 0;
    await writeFile(at('z.npy'), 'of before');
    const result = await predict(options);
    expect(result.status).toBe(2);
    expect(errorOf(result).message).toContain(
      `not finite in sample ${MANY - 1} (from 0; Infinity at place 783`,
    );
    expect(await readFile(at('z.npy'), 'utf8')).toBe('of before');
    expect(hiddenFiles()).toEqual([]);
  });

  it('can be given up with Ctrl-C, which leaves nothing behind', async () => {
    const interrupt = new AbortController();
    const running = predict(options, [], {
      interrupt: { signal: interrupt.signal, hurry: new AbortController().signal },
    });
    await expect.poll(() => hiddenFiles(), { timeout: 10_000, interval: 1 }).toHaveLength(1);
    interrupt.abort(new InterruptedError('SIGINT'));
    const { status, stdout, stderr } = await running;
    expect([status, JSON.parse(stdout)]).toMatchObject([130, { error: { code: 'INTERRUPTED' } }]);
    expect(stderr).toBe('interrupted\n');
    expect(existsSync(at('z.npy'))).toBe(false);
    expect(hiddenFiles()).toEqual([]);
  });

  it('go into the file that a link leads to', async () => {
    await writeFile(at('real.npy'), '');
    await symlink(at('real.npy'), at('z.npy'));
    expect((await predict(options)).status).toBe(0);
    expect((await lstat(at('z.npy'))).isSymbolicLink()).toBe(true);
    expect((await openArray(at('real.npy'))).shape).toEqual([MANY, CLASSES]);
  });

  it('go to what is no file as they come', async () => {
    expect((await predict({ ...options, output: '/dev/null' })).status).toBe(0);
    expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
  });
});

it('inputs larger than what may be in memory are read a batch at a time', async () => {
  const rows = 200_000;
  const path = at('sparse.npy');
  await writeFile(path, npyHeader('<f4', [rows, 28, 28, 1]));
  await truncate(path, (await stat(path)).size + rows * 3_136);
  const inputs = await readInputs(path, { name: 'lenet5' }, 'nhwc');
  const before = process.memoryUsage().arrayBuffers;
  let [seen, most] = [0, 0];
  for await (const batch of inputs.batches(5_000)) {
    seen += batch.rows;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(seen).toBe(rows);
  expect(most).toBeLessThan((rows * 3_136) / 3);
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
