import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { encode } from 'fast-png';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importImageFolder } from './image-folder.js';

let work: string;
const source = (): string => path.join(work, 'source');

beforeEach(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), 'fidelis-folder-'));
  for (const [index, file] of PLACES.entries()) await put(file, png(10 * index));
});

afterEach(() => rm(work, { recursive: true }));

const PLACES = ['train/ant/1.png', 'train/cat/1.png', 'test/ant/1.png', 'test/cat/1.png'];

function png(value: number): Uint8Array {
  return encode({ height: 2, width: 2, channels: 1, data: new Uint8Array(4).fill(value) });
}

async function put(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(path.dirname(path.join(source(), file)), { recursive: true });
  await writeFile(path.join(source(), file), content);
}

interface ArchiveEntry {
  readonly name: string;
  readonly type?: 'directory' | 'link' | 'symlink';
  readonly linkname?: string;
  readonly content?: Uint8Array;
}

async function archive(entries: readonly ArchiveEntry[]): Promise<string> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) tar.entry(header);
    else tar.entry(header, Buffer.from(content));
  }
  tar.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of tar) pieces.push(piece as Buffer);
  await mkdir(path.join(work, 'below'));
  const file = path.join(work, 'below', 'a.tar');
  await writeFile(file, Buffer.concat(pieces));
  return file;
}

const whole = PLACES.map((name) => ({ name, content: png(9) }));

async function refusal(from: string): Promise<{ code: string; message: string }> {
  const error: unknown = await importImageFolder(from, {}).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!FidelisError.is(error)) throw new Error('expected a FidelisError', { cause: error });
  return error;
}

/** The first bytes of an image that says it is of this size. */
function promising(kind: 'png' | 'jpeg', extent: number): Buffer {
  if (kind === 'png') {
    const bytes = Buffer.from(png(1));
    bytes.writeUInt32BE(extent, 16);
    bytes.writeUInt32BE(extent, 20);
    return bytes;
  }
  const bytes = Buffer.from('ffd8ffc0000b080000000001011100ffd9', 'hex');
  bytes.writeUInt16BE(extent, 7);
  bytes.writeUInt16BE(extent, 9);
  return bytes;
}

describe('an image folder is refused by the name of', () => {
  it.each<[string, string, () => Promise<unknown>, string]>([
    [
      'a text among the images',
      'train/cat/notes.txt',
      () => put('train/cat/notes.txt', 'hello'),
      'is no readable image',
    ],
    [
      'a link to nowhere',
      'train/cat/2.png',
      () => symlink(path.join(work, 'gone.png'), path.join(source(), 'train/cat/2.png')),
      'cannot be read (ENOENT',
    ],
    [
      'a link that leads to itself',
      'train/cat/2.png',
      () => symlink('2.png', path.join(source(), 'train/cat/2.png')),
      'cannot be read (ELOOP',
    ],
    [
      'a link to a directory above, and does not go round in it',
      'train/cat/loop',
      () => symlink('..', path.join(source(), 'train/cat/loop')),
      'it is a link to a directory, and those are not followed',
    ],
    [
      'a PNG that promises more pixels than there is memory for',
      'train/cat/2.png',
      () => put('train/cat/2.png', promising('png', 60_000)),
      'it is 60000×60000, and at most 67108864 pixels are decoded',
    ],
    [
      'a JPEG that promises as much',
      'train/cat/2.jpg',
      () => put('train/cat/2.jpg', promising('jpeg', 60_000)),
      'it is 60000×60000, and at most 67108864 pixels are decoded',
    ],
    [
      'a file of gigabytes',
      'train/cat/2.png',
      async () => {
        await put('train/cat/2.png', png(1));
        await truncate(path.join(source(), 'train/cat/2.png'), 3e9);
      },
      'it has 3000000000 bytes, and at most 268435456 are read',
    ],
  ])('%s', async (_, file, spoil, problem) => {
    await spoil();
    const { code, message } = await refusal(source());
    expect(code).toBe('DATASET.CORRUPT');
    expect(message).toContain(`${source()}: ${file}`);
    expect(message).toContain(problem);
  });

  it('a class folder without images, also where no split has any', async () => {
    await mkdir(path.join(source(), 'train/dog'));
    await mkdir(path.join(source(), 'test/dog'));
    const { code, message } = await refusal(source());
    expect(code).toBe('REQUEST.INVALID');
    expect(message).toContain('no images are in test/dog, train/dog: put some there or remove it');
  });

  it('a class folder without images in an archive', async () => {
    const from = await archive([...whole, { name: 'test/dog/', type: 'directory' }]);
    expect((await refusal(from)).message).toContain('no images are in test/dog');
  });

  it.each(['link', 'symlink'] as const)('a %s in an archive', async (type) => {
    const from = await archive([...whole, { name: 'train/cat/2.png', type, linkname: 'train/cat/1.png' }]);
    const { code, message } = await refusal(from);
    expect(code).toBe('DATASET.CORRUPT');
    expect(message).toContain('train/cat/2.png cannot be read (it is a link');
  });

  it('an image that an archive has twice', async () => {
    const from = await archive([...whole, { name: 'train/cat/1.png', content: png(3) }]);
    expect((await refusal(from)).message).toContain('train/cat/1.png is there twice');
  });
});

describe('an image folder', () => {
  it('may have links to images', async () => {
    await writeFile(path.join(work, 'elsewhere.png'), png(77));
    await symlink(path.join(work, 'elsewhere.png'), path.join(source(), 'train/cat/2.png'));
    const { splits } = await importImageFolder(source(), {});
    expect([...splits.train.inputs.subarray(8)]).toEqual([77, 77, 77, 77]);
  });

  it('that is an archive with paths out of it reads nothing from there, and writes nothing', async () => {
    const evil = [
      '../train/cat/evil.png',
      '../../train/cat/evil.png',
      'train/cat/../../../train/cat/evil.png',
    ];
    const from = await archive([...whole, ...evil.map((name) => ({ name, content: png(66) }))]);
    const before = await readdir(work, { recursive: true });
    const { splits } = await importImageFolder(from, {});
    expect([splits.train.size, splits.test.size]).toEqual([2, 2]);
    expect(await readdir(work, { recursive: true })).toEqual(before);
  });
});
