import type { Table } from '@fidelis/tables';

/** A table that tells which of its rows are read, in which reading of it (from 1), before they are given out. */
export function watchedTable(table: Table, onRows: (rows: number, reading: number) => Promise<void>): Table {
  let readings = 0;
  return {
    ...table,
    chunks: async function* (rowsPerChunk) {
      const reading = ++readings;
      let rows = 0;
      for await (const chunk of table.chunks(rowsPerChunk)) {
        rows += chunk.length / table.columns;
        await onRows(rows, reading);
        yield chunk;
      }
    },
  };
}
