import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Of this package; the same file from `src` and from `dist`. */
export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))).version;
