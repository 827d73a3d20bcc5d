import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { readStreamRanges, type ByteRange, type ByteSource } from './byte-source.js';
import { asTableError, requireTable, tableError } from './table-error.js';

/**
 * A member of a `.npz` archive (zip, zip64; stored or deflated), read as a stream.
 *
 * @param member with or without `.npy`; needed if there is more than one
 * @throws FidelisError REQUEST.INVALID naming the members, if the one wanted is not there or none is
 */
export async function npzSource(path: string, member: string | undefined): Promise<ByteSource> {
  const archive = await openPromise(path, { autoClose: false });
  try {
    const names: string[] = [];
    const sizes = new Map<string, number>();
    for await (const entry of entriesOf(archive)) {
      if (!entry.fileName.endsWith('.npy')) continue;
      names.push(entry.fileName.slice(0, -'.npy'.length));
      sizes.set(entry.fileName, entry.uncompressedSize);
    }
    const fileName = `${chooseMember(path, names, member)}.npy`;
    const name = `${path}, member ${fileName}`;
    return {
      name,
      length: sizes.get(fileName) ?? 0,
      read: (ranges) => readMember(path, name, fileName, ranges),
    };
  } finally {
    archive.close();
  }
}

function chooseMember(path: string, names: readonly string[], member: string | undefined): string {
  const known = names.join(', ');
  requireTable(names.length > 0, path, 'has no arrays in it. Write it with numpy.savez');
  if (member === undefined) {
    const [only] = names;
    requireTable(
      only !== undefined && names.length === 1,
      path,
      `has several arrays; name one of them: ${known}`,
    );
    return only;
  }
  const wanted = member.replace(/\.npy$/, '');
  requireTable(names.includes(wanted), path, `has no array "${wanted}"; it has ${known}`);
  return wanted;
}

async function* readMember(
  path: string,
  name: string,
  fileName: string,
  ranges: Iterable<ByteRange>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const archive = await openPromise(path, { autoClose: false });
  try {
    for await (const entry of entriesOf(archive)) {
      if (entry.fileName !== fileName) continue;
      const stream = await archive.openReadStreamPromise(entry);
      yield* readStreamRanges(name, stream as AsyncIterable<Uint8Array>, ranges);
      return;
    }
    throw tableError(path, `has no array "${fileName}" any more`);
  } catch (error) {
    throw asTableError(name, 'member of an archive', error);
  } finally {
    archive.close();
  }
}

function entriesOf(archive: ZipFile): AsyncIterable<Entry> {
  return archive.eachEntry();
}
