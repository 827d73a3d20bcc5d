import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { cacheDir } from './directories.js';
import { executablesOnPath, isAtLeast, versionOf } from './executables.js';

/** First version with subject filters, metadata and first_seq. */
export const MIN_NATS_VERSION = '2.10.0';
/** What the set-up fetches where none is installed. */
export const PINNED_NATS_VERSION = '2.15.1';

export interface NatsBinary {
  readonly path: string;
  readonly version: string;
  /** Where it came from, for people. */
  readonly source: 'PATH' | 'cache';
}

/**
 * The nats-server to run: one on the search path if it is new enough, else the one that the set-up has fetched.
 * @throws SETUP.MISSING
 */
export async function findNatsServer(env: NodeJS.ProcessEnv = process.env): Promise<NatsBinary> {
  const tried: string[] = [];
  for (const path of await executablesOnPath('nats-server', env['PATH'])) {
    const version = await versionOf(path);
    if (version !== undefined && isAtLeast(version, MIN_NATS_VERSION))
      return { path, version, source: 'PATH' };
    tried.push(
      `${path}: ${version === undefined ? 'does not run' : `version ${version} is older than ${MIN_NATS_VERSION}`}`,
    );
  }
  const path = join(cacheDir(env), `nats-server-${PINNED_NATS_VERSION}`, 'nats-server');
  const version = await versionOf(path);
  if (version !== undefined) return { path, version, source: 'cache' };
  tried.push(`${path}: not there`);
  throw new FidelisError(
    'SETUP.MISSING',
    `no nats-server was found: run npm run setup. Tried ${tried.join('; ')}.`,
    {
      details: { part: 'nats-server', tried },
    },
  );
}
