import { requireTable } from './table-error.js';
import { type TableOptions } from './table.js';

/**
 * Names of the columns to read, in order.
 *
 * @param known names of the file's columns, in its order
 * @throws FidelisError REQUEST.INVALID for a column that the file does not have
 */
export function chooseColumns(
  path: string,
  known: readonly string[],
  options: TableOptions,
): readonly string[] {
  const named = options.column === undefined ? options.columns : [options.column];
  const wanted = named?.flatMap((name) => matching(name, known)) ?? known;
  requireTable(wanted.length > 0, path, 'has no columns to read');
  for (const name of wanted) {
    requireTable(known.includes(name), path, `has no column "${name}". Its columns are ${listed(known)}`);
  }
  return wanted;
}

/** The column of this name, or else those that a name with asterisks stands for; the name itself where there are none. */
function matching(name: string, known: readonly string[]): readonly string[] {
  if (known.includes(name) || !name.includes('*')) return [name];
  const parts = name.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`);
  const found = known.filter((column) => pattern.test(column));
  return found.length === 0 ? [name] : found;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
