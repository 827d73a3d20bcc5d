import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { chooseColumns } from './column-choice.js';
import { asTableError, requireTable, tableError } from './table-error.js';
import { allocate, type RowChunk, type TableOptions } from './table.js';
import { type TableReading } from './table-reading.js';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BLOCK_ROWS = 1024;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIAL: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, infinity: Infinity };

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * A CSV file (RFC 4180; comma, or tab in `.tsv`) with a header. The first reading counts its rows, without parsing their cells. `nan`,
 * `inf` and `infinity` are numbers, in any case and with a sign; an empty cell is not.
 */
export async function openCsv(path: string, options: TableOptions): Promise<TableReading> {
  const [header, records] = await Promise.all([readHeader(path), countRecords(path, options.signal)]);
  requireTable(header.length > 0, path, 'is empty. The first line should name the columns');
  requireTable(
    header.some((name) => !isNumber(name)) || header.every((name) => /^\s*\d+\s*$/.test(name)),
    path,
    'has numbers in its first line, which should name the columns. Add a line with a name for each column',
  );
  const repeated = header.find((name, index) => header.indexOf(name) !== index);
  requireTable(repeated === undefined, path, `has two columns named "${repeated}". Rename one`);
  const names = chooseColumns(path, header, options);
  const indices = Uint32Array.from(names, (name) => header.indexOf(name));
  return {
    rows: records - 1,
    columns: indices.length,
    dtype: 'float64',
    blocks: () => readBlocks(path, header, indices),
  };
}

async function* readRecords(path: string, last?: number): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    delimiter: path.toLowerCase().endsWith('.tsv') ? '\t' : ',',
    record_delimiter: ['\r\n', '\n'],
    skip_empty_lines: true,
    relax_column_count: true,
    info: true,
    ...(last === undefined ? {} : { to: last }),
  });
  const file = createReadStream(path);
  file.on('error', (error) => parser.destroy(error));
  file.pipe(parser);
  try {
    for await (const record of parser) yield record as CsvRecord;
  } catch (error) {
    throw asTableError(path, 'CSV file', error);
  } finally {
    file.destroy();
  }
}

async function readHeader(path: string): Promise<readonly string[]> {
  for await (const { record } of readRecords(path, 1)) return record.map((name) => name.trim());
  return [];
}

async function* readBlocks(
  path: string,
  header: readonly string[],
  indices: Uint32Array,
): AsyncGenerator<RowChunk> {
  let block = allocate('float64', BLOCK_ROWS * indices.length);
  let filled = 0;
  let row = -1;
  for await (const { record, info } of readRecords(path)) {
    if (row++ < 0) continue;
    if (record.length !== header.length) {
      throw tableError(
        path,
        `line ${info.lines} (row ${row - 1} from 0) has ${record.length} cells where the header has ${header.length}. Correct that line`,
      );
    }
    for (const index of indices) {
      block[filled++] = parseCell(path, record[index] ?? '', info.lines, row - 1, header[index] ?? '');
    }
    if (filled === block.length) {
      yield block;
      block = allocate('float64', BLOCK_ROWS * indices.length);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

function parseCell(path: string, cell: string, line: number, row: number, column: string): number {
  const text = cell.trim();
  if (NUMBER.test(text)) return Number(text);
  const special = SPECIAL[text.toLowerCase().replace(/^[+-]/, '')];
  if (special !== undefined) return text.startsWith('-') ? -special : special;
  throw tableError(
    path,
    `line ${line} (row ${row} from 0), column "${column}": "${text}" is no number. Correct it, or choose the columns to read`,
  );
}

function isNumber(text: string): boolean {
  const trimmed = text.trim();
  return NUMBER.test(trimmed) || trimmed.toLowerCase().replace(/^[+-]/, '') in SPECIAL;
}

/** Lines that are not empty, without those within quotes. */
async function countRecords(path: string, signal?: AbortSignal): Promise<number> {
  let records = 0;
  let quoted = false;
  let empty = true;
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    signal?.throwIfAborted();
    for (const byte of piece as Uint8Array) {
      if (byte === LINE_FEED && !quoted) {
        if (!empty) records++;
        empty = true;
      } else if (byte !== CARRIAGE_RETURN) {
        if (byte === QUOTE) quoted = !quoted;
        empty = false;
      }
    }
  }
  return empty ? records : records + 1;
}
