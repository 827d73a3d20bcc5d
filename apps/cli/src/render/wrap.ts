import { textWidth } from './style.js';

/** Long lines of text are hard to read, however wide the terminal. */
const MOST_COLUMNS = 100;

/** `text` in lines of at most `columns` (and at most 100), broken between words; the lines after the first begin with `indent` spaces. */
export function wrap(text: string, columns: number, indent = 0): string {
  const width = Math.min(columns, MOST_COLUMNS);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(word);
    else if (textWidth(line) + 1 + textWidth(word) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(' '.repeat(indent) + word);
  }
  return lines.join('\n');
}
