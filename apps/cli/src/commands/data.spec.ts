import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decode, encode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';

let fixture: CommandFixture;
let photos: string;

beforeEach(async () => {
  fixture = await CommandFixture.create();
  photos = join(fixture.directory, 'photos');
  for (const split of ['train', 'test']) {
    for (const name of ['ant', 'cat']) {
      for (let index = 0; index < 4; index++) await image(`${split}/${name}/${index}.png`, 8);
    }
  }
});

afterEach(() => fixture.dispose());

async function image(file: string, height: number): Promise<void> {
  const data = Uint8Array.from({ length: height * 24 }, (_, i) => (i * 7 + file.length) % 256);
  await mkdir(dirname(join(photos, file)), { recursive: true });
  await writeFile(join(photos, file), encode({ height, width: 8, channels: 3, data }));
}

const add = (...options: string[]): ReturnType<CommandFixture['run']> =>
  fixture.run(['data', 'add', photos, '--name', 'photos', ...options]);

describe('data add', () => {
  it('makes a dataset that the other commands know, and says how far it is', async () => {
    const { status, stdout, stderr } = await add('--license', 'CC0', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'photos',
      license: 'CC0',
      splits: { train: 8, test: 8 },
      inputShape: { height: 8, width: 8, channels: 3 },
      classNames: ['ant', 'cat'],
    });
    expect(stderr).toContain('images: 16 images');
    expect((await fixture.run(['data', 'list'])).stdout).toContain('photos');
    expect((await fixture.run(['data', 'show', 'photos'])).stdout).toContain('classes  ant, cat');
    expect((await fixture.run(['data', 'verify', 'photos'])).stdout).toContain('photos is complete');
  });

  it('again is no harm; other images under the name are refused', async () => {
    await add();
    expect((await add()).stderr).toContain('photos is there already');
    await image('test/cat/9.png', 8);
    const result = await add('--json');
    expect([result.status, errorOf(result).message]).toEqual([
      2,
      expect.stringContaining('there is another dataset "photos"'),
    ]);
  });

  it('names an image of another size, and resizes where it is told to', async () => {
    await image('train/ant/9.png', 10);
    const refused = await add('--json');
    expect(refused.status).toBe(2);
    expect(errorOf(refused).message).toContain('image train/ant/9.png is 10×8');
    expect(errorOf(refused).message).toContain('give --resize 8x8');
    expect((await add('--resize', '8x8')).status).toBe(0);
  });

  it.each([
    [['--resize', '8'], 'Expected HEIGHTxWIDTH'],
    [['--arrays', 'x,y'], 'Expected four names'],
    [['--kind', 'zip'], 'Allowed choices are auto, image-folder'],
  ])('refuses %j', async (options, message) => {
    const { status, stderr } = await add(...options);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});

it('data remove removes what was added, and nothing else', async () => {
  await add();
  expect((await fixture.run(['data', 'remove', 'mnist'])).status).toBe(2);
  expect((await fixture.run(['data', 'remove', 'photos'])).stdout).toBe('photos is removed\n');
  expect(errorOf(await fixture.run(['data', 'show', 'photos', '--json'])).code).toBe('DATASET.UNKNOWN');
});

it('data verify of damaged arrays ends with 1 and names the file', async () => {
  await add();
  const file = join(fixture.directory, 'datasets', 'photos', 'test-labels.bin');
  await writeFile(file, new Uint8Array(8));
  const { status, stdout } = await fixture.run(['data', 'verify', 'photos']);
  expect(status).toBe(1);
  expect(stdout).toContain(`✗ ${file}: sha256`);
  expect(stdout).toContain('photos is damaged: remove it');
});

describe('data preview', () => {
  const sheet = (): string => join(fixture.directory, 'sheet.png');

  it('draws the batch of a dataset under a policy', async () => {
    await add();
    const { status, stdout } = await fixture.run([
      ...['data', 'preview', 'photos', '--policy', 'combined', '--rows', '1', '-o', sheet(), '--json'],
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ samples: 8, of: 8, step: 0, view: { batchSize: 8 } });
    expect(decode(await readFile(sheet()))).toMatchObject({ width: 8 + 8 * 136, channels: 3 });
  });

  it('draws the view of a spec', async () => {
    const example = new URL('../../../../examples/lenet5-mnist-sequence.yaml', import.meta.url).pathname;
    const { stdout } = await fixture.run(['data', 'preview', example, '--step', '7', '-o', sheet()]);
    expect(stdout).toContain('24 of 128 samples of step 7');
    expect((await readFile(sheet())).length).toBeGreaterThan(1_000);
  });

  it.each([
    [['photo'], 'Did you mean "photos"?'],
    [['photos', '--policy', 'gan'], 'images made beforehand'],
    [['photos', '--append', 'mnist', '--append-size', '5'], 'inputs of "mnist" are 28×28×1'],
    [['photos', '--append', 'photo'], 'there is no dataset "photo"'],
  ])('refuses %j', async (args, message) => {
    await add();
    const result = await fixture.run(['data', 'preview', ...args, '-o', sheet(), '--json']);
    expect(result.status).toBe(2);
    expect(errorOf(result).message).toContain(message);
  });

  it('says where it cannot write', async () => {
    const result = await fixture.run(['data', 'preview', 'mnist', '-o', '/nowhere/sheet.png', '--json']);
    expect([result.status, errorOf(result).code]).toEqual([1, 'STORAGE.UNWRITABLE']);
  });
});

describe('a damaged dataset', () => {
  const home = (): string => join(fixture.directory, 'datasets', 'photos');

  beforeEach(async () => {
    await add();
    await fixture.run(['data', 'add', photos, '--name', 'whole']);
  });

  const DAMAGES: readonly [string, () => Promise<void>, string][] = [
    [
      'whose manifest is half of one',
      () => writeFile(join(home(), 'manifest.json'), '{"format":'),
      'is not the manifest of a dataset',
    ],
    ['whose manifest is not there', () => rm(join(home(), 'manifest.json')), 'no such file'],
    [
      'that is a link to nowhere',
      async () => {
        await rm(home(), { recursive: true });
        await symlink(join(fixture.directory, 'gone'), home());
      },
      'no such file',
    ],
  ];

  it.each(DAMAGES)(
    '%s is named beside the others, verified as damaged, and removed',
    async (_, spoil, why) => {
      await spoil();
      const list = await fixture.run(['data', 'list', '--json']);
      expect(list.status).toBe(0);
      const { datasets, damaged } = JSON.parse(list.stdout) as {
        datasets: { name: string }[];
        damaged: { name: string; problem: string }[];
      };
      expect(datasets.map(({ name }) => name)).toEqual(['mnist', 'fashion-mnist', 'whole']);
      expect(damaged).toEqual([{ name: 'photos', problem: expect.stringContaining(why) as string }]);
      expect(list.stderr).toContain('damaged: photos');
      expect((await fixture.run(['data', 'list'])).stdout).toContain('whole');

      const verify = await fixture.run(['data', 'verify', 'photos', '--json']);
      expect(verify.status).toBe(1);
      expect(JSON.parse(verify.stdout)).toMatchObject({ name: 'photos', ok: false, files: [] });
      expect((await fixture.run(['data', 'verify', 'photos'])).stdout).toContain(
        'fidelis data remove photos',
      );
      expect((await fixture.run(['data', 'verify', 'whole'])).status).toBe(0);
      expect(errorOf(await fixture.run(['data', 'show', 'photos', '--json'])).code).toBe('DATASET.CORRUPT');

      expect((await fixture.run(['data', 'remove', 'photos'])).stdout).toBe('photos is removed\n');
      expect(JSON.parse((await fixture.run(['data', 'list', '--json'])).stdout)).toMatchObject({
        damaged: [],
      });
      expect((await add()).status).toBe(0);
    },
  );

  it('is in the way of another one under its name, which says how to remove it', async () => {
    await writeFile(join(home(), 'manifest.json'), '{}');
    const result = await add('--json');
    expect(result.status).toBe(1);
    expect(errorOf(result)).toMatchObject({
      code: 'DATASET.CORRUPT',
      message: expect.stringContaining('fidelis data remove photos') as string,
    });
  });

  it('that a spec names is told of as damaged, not as unknown', async () => {
    await writeFile(join(home(), 'manifest.json'), '{}');
    const spec = join(fixture.directory, 'spec.yaml');
    const example = new URL('../../../../examples/lenet5-mnist-sequence.yaml', import.meta.url);
    await writeFile(spec, (await readFile(example, 'utf8')).replace('dataset: mnist', 'dataset: photos'));
    const result = await fixture.run([
      'data',
      'preview',
      spec,
      '-o',
      join(fixture.directory, 's.png'),
      '--json',
    ]);
    expect(errorOf(result).code).toBe('DATASET.CORRUPT');
  });
});

it('a linked dataset is listed by the name that the link has', async () => {
  await add();
  const target = join(fixture.directory, 'datasets', 'photos');
  await fixture.run(['data', 'add', target, '--name', 'other', '--link']);
  const { datasets } = JSON.parse((await fixture.run(['data', 'list', '--json'])).stdout) as {
    datasets: { name: string }[];
  };
  expect(datasets.map(({ name }) => name)).toEqual(['mnist', 'fashion-mnist', 'other', 'photos']);
});
