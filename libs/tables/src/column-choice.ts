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
  const wanted = options.column === undefined ? (options.columns ?? known) : [options.column];
  requireTable(wanted.length > 0, path, 'has no columns to read');
  for (const name of wanted) {
    requireTable(known.includes(name), path, `has no column "${name}". Its columns are ${listed(known)}`);
  }
  return wanted;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
