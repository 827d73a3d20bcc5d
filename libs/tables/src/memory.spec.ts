import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTable } from './index.js';

/** 2 GB to read, of which the file system stores one block. Asked for with `FIDELIS_MEMORY_TEST=1 npx vitest run libs/tables`. */
describe.skipIf(process.env['FIDELIS_MEMORY_TEST'] === undefined)('a .npy file of 2 GB', () => {
  const columns = 1000;
  const rows = 500_000;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fidelis-memory-'));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each([
    ['C', 'False', 200],
    ['Fortran', 'True', 400],
  ])(
    '%s order is read within the memory that is stated',
    async (_, fortran, mebibytes) => {
      const path = join(directory, 'sparse.npy');
      const text =
        `{'descr': '<f4', 'fortran_order': ${fortran}, 'shape': (${rows}, ${columns}), }`.padEnd(117) + '\n';
      const head = Buffer.from(`\x93NUMPY\x01\x00..${text}`, 'latin1');
      head.writeUInt16LE(text.length, 8);
      const file = await open(path, 'w');
      await file.write(head);
      await file.truncate(head.length + rows * columns * 4);
      await file.close();

      const before = process.memoryUsage().rss;
      const started = performance.now();
      let most = 0;
      let seen = 0;
      for await (const chunk of (await openTable(path)).chunks(1024)) {
        seen += chunk.length / columns;
        most = Math.max(most, process.memoryUsage().rss - before);
      }
      const seconds = (performance.now() - started) / 1000;
      process.stdout.write(`${seconds.toFixed(1)} s, ${Math.round(most / 2 ** 20)} MiB more than before\n`);
      expect(seen).toBe(rows);
      expect(most).toBeLessThan(mebibytes * 2 ** 20);
    },
    240_000,
  );
});
