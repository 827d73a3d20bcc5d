import { type ByteSource } from './byte-source.js';
import { requireTable, tableError } from './table-error.js';
import { type NumberType } from './table.js';

export interface ArrayHeader {
  /** Byte at which the numbers begin. */
  readonly dataStart: number;
  readonly shape: readonly number[];
  readonly dtype: NumberType;
  readonly itemBytes: number;
  readonly bigEndian: boolean;
  /** The first index runs fastest instead of the last. */
  readonly fortranOrder: boolean;
}

export interface NpyHeader extends ArrayHeader {
  readonly rows: number;
  readonly columns: number;
}

const MAGIC = '\x93NUMPY';
/** Far above any header of numbers; a longer one is a corrupt length. */
const MAX_HEADER_BYTES = 1 << 20;

const DTYPES: Readonly<Record<string, NumberType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
};

/**
 * The header of an array of one or two dimensions.
 *
 * @throws FidelisError REQUEST.INVALID as `readArrayHeader`, and for more dimensions
 */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const header = await readArrayHeader(source);
  const { shape } = header;
  const [rows = 0, columns = 1] = shape;
  const text = shape.length === 1 ? `${rows},` : shape.join(', ');
  requireTable(
    shape.length === 1 || shape.length === 2,
    source.name,
    `has the shape (${text}); arrays of one dimension, or of two (samples, classes), are read. Reshape it: array.reshape(len(array), -1)`,
  );
  requireTable(columns > 0, source.name, `has the shape (${text}), without columns`);
  return { ...header, rows, columns };
}

/**
 * Reads the header of a `.npy` file, format versions 1 to 3 (NumPy, "NEP 1 — a simple file format for NumPy arrays"). Nothing is
 * ever unpickled: an array of Python objects is refused.
 *
 * @throws FidelisError REQUEST.INVALID for anything but arrays of numbers, and for fewer bytes than the header promises
 */
export async function readArrayHeader(source: ByteSource): Promise<ArrayHeader> {
  const { name } = source;
  const start = await readAt(source, 0, Math.min(12, source.length));
  requireTable(
    start[0] !== 0x80,
    name,
    'is a pickle, which can run code and is not opened. Write the array with numpy.save',
  );
  requireTable(
    start.length >= 10 && Buffer.from(start).toString('latin1', 0, 6) === MAGIC,
    name,
    'is no .npy file: it does not begin with NumPy’s mark. Write it with numpy.save',
  );
  const version = start[6] ?? 0;
  requireTable(
    version >= 1 && version <= 3,
    name,
    `has version ${version} of the .npy format; 1 to 3 are known`,
  );
  const view = new DataView(start.buffer);
  const lengthBytes = version === 1 ? 2 : 4;
  requireTable(start.length >= 8 + lengthBytes, name, 'ends within its header. Write it again');
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataStart = 8 + lengthBytes + headerBytes;
  requireTable(
    headerBytes <= MAX_HEADER_BYTES && dataStart <= source.length,
    name,
    `has ${source.length} bytes, and its header alone should end at byte ${dataStart}: it is truncated or corrupt. Write it again`,
  );
  const text = Buffer.from(await readAt(source, 8 + lengthBytes, dataStart)).toString(
    version === 3 ? 'utf8' : 'latin1',
  );
  const header = { dataStart, ...parseDescription(name, text) };
  const expected = dataStart + header.shape.reduce((product, size) => product * size, header.itemBytes);
  requireTable(
    source.length >= expected,
    name,
    `is truncated: ${header.shape.join(' × ')} ${header.dtype} need ${expected} bytes, and there are ${source.length}. Write or copy it again`,
  );
  return header;
}

async function readAt(source: ByteSource, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  for await (const bytes of source.read([{ start, end }])) return bytes;
  throw tableError(source.name, 'is empty');
}

/** The header is a literal of a Python dictionary with exactly these keys. */
function parseDescription(name: string, text: string): Omit<ArrayHeader, 'dataStart'> {
  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[))/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text);
  requireTable(
    descr !== null && order !== null && shape !== null,
    name,
    'has a header without descr, fortran_order and shape. Write it with numpy.save',
  );
  requireTable(
    descr[2] === undefined,
    name,
    'holds records with named fields. Save one array of numbers, of shape (samples, classes)',
  );
  return {
    ...parseType(name, descr[1] ?? ''),
    shape: parseShape(name, shape[1] ?? ''),
    fortranOrder: order[1] === 'True',
  };
}

function parseType(name: string, descr: string): Pick<ArrayHeader, 'dtype' | 'itemBytes' | 'bigEndian'> {
  requireTable(
    !/^[|<>=]?O/.test(descr),
    name,
    'holds Python objects (dtype object), which are pickled and are not opened, because a pickle can run code. Convert it: numpy.save(path, numpy.asarray(list(array), dtype="float32"))',
  );
  const dtype = DTYPES[descr.slice(1)];
  requireTable(
    dtype !== undefined && /^[|<>=]/.test(descr),
    name,
    `has the type "${descr}"; floats of 2, 4 and 8 bytes and integers of 1 to 8 are read. Convert it: array.astype("float32")`,
  );
  return { dtype, itemBytes: Number(descr.slice(2)), bigEndian: descr.startsWith('>') };
}

function parseShape(name: string, text: string): number[] {
  const shape = text
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  requireTable(
    shape.length > 0 && shape.every((size) => Number.isSafeInteger(size) && size >= 0),
    name,
    `has the shape (${text}); arrays of one dimension, or of two (samples, classes), are read. Reshape it: array.reshape(len(array), -1)`,
  );
  return shape;
}
