import { padEnd, padStart, textWidth, type Style } from './style.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A table without frames: titles, a rule, rows; columns as wide as their widest cell. Ends without a line break. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[index] ?? ''))),
  );
  const line = (cells: readonly string[], paint: (text: string) => string = (text) => text): string =>
    columns
      .map(({ align }, index) => {
        const pad = align === 'right' ? padStart : padEnd;
        return pad(paint(cells[index] ?? ''), widths[index] ?? 0);
      })
      .join('  ')
      .trimEnd();
  return [
    line(
      columns.map(({ title }) => title),
      style.bold,
    ),
    style.dim(widths.map((width) => '─'.repeat(width)).join('  ')),
    ...rows.map((row) => line(row)),
  ].join('\n');
}
