import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_BYTES = 65_535;
const STORED = 0;
const DEFLATED = 8;

/**
 * @typedef {object} ZipEntry
 * @property {string} name
 * @property {number} method 0 stored, 8 deflated
 * @property {number} compressedBytes
 * @property {number} bytes
 * @property {number} offset of its local header
 */

/**
 * The table of contents. A truncated archive has none, so it is refused here.
 * @param {string} path
 * @returns {Promise<ZipEntry[]>}
 */
export async function readZipDirectory(path) {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tailBytes = Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
    const tail = await readAt(file, size - tailBytes, tailBytes);
    let end = tail.length - END_BYTES;
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end -= 1;
    if (end < 0) throw new Error(`${path} is not a whole zip archive`);
    const count = tail.readUInt16LE(end + 10);
    const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    if (count === 0xffff) throw new Error(`${path} needs zip64, which is not supported`);
    return parseEntries(directory, count, path);
  } finally {
    await file.close();
  }
}

/**
 * @param {Buffer} directory
 * @param {number} count
 * @param {string} path for the error
 */
function parseEntries(directory, count, path) {
  const entries = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw new Error(`${path} has a damaged table of contents`);
    const nameBytes = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Writes one entry to a file.
 * @param {string} archive
 * @param {ZipEntry} entry
 * @param {string} target
 * @param {{ mode?: number }} [options]
 * @returns {Promise<string>} sha-256 of the content, hex
 */
export async function extractEntry(archive, entry, target, { mode = 0o644 } = {}) {
  await mkdir(dirname(target), { recursive: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(undefined, chunk);
    },
  });
  await pipeline(
    await contentOf(archive, entry),
    decoder(entry),
    counted,
    createWriteStream(target, { mode }),
  );
  if (bytes !== entry.bytes) throw new Error(`${entry.name} has ${bytes} bytes instead of ${entry.bytes}`);
  await chmod(target, mode);
  return hash.digest('hex');
}

/**
 * @param {string} archive
 * @param {ZipEntry} entry
 * @returns {Promise<string>}
 */
export async function readEntryText(archive, entry) {
  const chunks = [];
  const sink = new PassThrough();
  sink.on('data', (chunk) => chunks.push(chunk));
  await pipeline(await contentOf(archive, entry), decoder(entry), sink);
  return Buffer.concat(chunks).toString('utf8');
}

/** @param {ZipEntry} entry */
function decoder({ method, name }) {
  if (method === DEFLATED) return createInflateRaw();
  if (method === STORED) return new PassThrough();
  throw new Error(`${name} is compressed by an unknown method (${method})`);
}

/** The entry's own header says where its content begins. */
async function contentOf(archive, entry) {
  const file = await open(archive, 'r');
  const header = await readAt(file, entry.offset, LOCAL_HEADER_BYTES);
  await file.close();
  const start = entry.offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.compressedBytes === 0) return PassThrough.from([]);
  return createReadStream(archive, { start, end: start + entry.compressedBytes - 1 });
}

async function readAt(file, position, length) {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead !== length) throw new Error('the archive is shorter than it says');
  return buffer;
}
