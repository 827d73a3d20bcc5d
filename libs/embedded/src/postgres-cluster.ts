import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import { asStorageError, ensureWritableDirectory, firstClosedAncestor, storageError } from './directories.js';
import { runToEnd } from './executables.js';
import type { PostgresBinaries } from './postgres-binaries.js';

/** `nobody` nearly everywhere; PostgreSQL refuses to run as root. */
const UNPRIVILEGED_ID = 65_534;
export const SUPERUSER = 'fidelis';
const INIT_DEADLINE_MS = 120_000;
/** A postmaster that lost its parent a moment ago shuts down within this. */
const ORPHAN_GRACE_MS = 20_000;

/** A database cluster on disk and how to get into it. */
export interface Cluster {
  readonly directory: string;
  readonly password: string;
  /** Whom the server has to run as; absent: as we do. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * The cluster below `dataDir`, created if there is none. A creation that was interrupted never counts: it is made under another name.
 * @throws STORAGE.UNWRITABLE, SETUP.MISSING (a cluster of another major version)
 */
export async function openCluster(dataDir: string, binaries: PostgresBinaries): Promise<Cluster> {
  await ensureWritableDirectory(dataDir);
  const directory = join(dataDir, 'cluster');
  const passwordFile = join(dataDir, 'password');
  try {
    const exists = existsSync(join(directory, 'PG_VERSION'));
    const user = await serverUser(dataDir, exists ? directory : undefined);
    if (exists) await checkVersion(directory, binaries);
    else await createCluster({ dataDir, directory, passwordFile, binaries, user });
    const password = await readFile(passwordFile, 'utf8');
    return { directory: await realpath(directory), password, ...(user === undefined ? {} : { user }) };
  } catch (error) {
    throw asStorageError(dataDir, error);
  }
}

async function serverUser(dataDir: string, cluster: string | undefined): Promise<Cluster['user']> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = cluster === undefined ? undefined : await stat(cluster);
  const user =
    owner === undefined || owner.uid === 0
      ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID }
      : { uid: owner.uid, gid: owner.gid };
  // The directory is ours to open; those above it are not.
  const { mode } = await stat(dataDir);
  if ((mode & 0o001) === 0) await chmod(dataDir, (mode & 0o777) | 0o011);
  const closed = await firstClosedAncestor(dataDir);
  if (closed !== undefined) {
    throw storageError(
      dataDir,
      `PostgreSQL does not run as root, and the user it runs as instead cannot enter ${closed}`,
    );
  }
  return user;
}

async function checkVersion(directory: string, binaries: PostgresBinaries): Promise<void> {
  const cluster = (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim();
  const major = binaries.version.split('.')[0];
  if (cluster === major) return;
  throw new FidelisError(
    'SETUP.MISSING',
    `the database in ${directory} was made by PostgreSQL ${cluster}, but PostgreSQL ${binaries.version} was found in ${binaries.binDir}: run npm run setup, or choose another data directory with FIDELIS_DATA_DIR`,
    { details: { directory, cluster, found: binaries.version } },
  );
}

interface NewCluster {
  readonly dataDir: string;
  readonly directory: string;
  readonly passwordFile: string;
  readonly binaries: PostgresBinaries;
  readonly user: Cluster['user'];
}

async function createCluster({
  dataDir,
  directory,
  passwordFile,
  binaries,
  user,
}: NewCluster): Promise<void> {
  const partial = join(dataDir, 'cluster.partial');
  const pwFile = join(dataDir, 'password.partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await writeFile(pwFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (user !== undefined) {
    await chown(partial, user.uid, user.gid);
    await chown(pwFile, user.uid, user.gid);
  }
  const { ok, output } = await runToEnd(
    join(binaries.binDir, 'initdb'),
    [
      ...['--pgdata', partial, '--username', SUPERUSER, '--pwfile', pwFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--no-instructions'],
    ],
    { timeoutMs: INIT_DEADLINE_MS, env: serverEnvironment(), ...user },
  );
  if (!ok) {
    await rm(partial, { recursive: true, force: true });
    const reason = output.split('\n').find((line) => /error|fatal/i.test(line)) ?? output;
    throw /no space left|read-only file system|permission denied|quota/i.test(output)
      ? storageError(dataDir, reason)
      : new FidelisError('DATABASE.UNAVAILABLE', `initdb failed: ${output}`, { retryable: false });
  }
  await rename(pwFile, passwordFile);
  await rename(partial, directory);
}

/** The environment for PostgreSQL's programs: the caller's PG* variables mean another server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(entries), LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Makes the cluster ready for a new postmaster after whatever happened to the last one. A recorded postmaster that still runs gets time
 * to end; a record whose process id has since been given to another program is removed; anything else PostgreSQL sorts out itself.
 * @throws STACK.ALREADY_RUNNING if another postmaster keeps running there
 */
export async function releaseCluster(directory: string): Promise<void> {
  const deadline = Date.now() + ORPHAN_GRACE_MS;
  for (;;) {
    const servers = await serversIn(directory);
    const recorded = await recordedPid(directory);
    if (recorded === undefined) return;
    if (servers === undefined ? !isAlive(recorded) : servers.length === 0) {
      if (isAlive(recorded)) await rm(join(directory, 'postmaster.pid'), { force: true });
      return;
    }
    if (Date.now() > deadline) {
      throw new FidelisError(
        'STACK.ALREADY_RUNNING',
        `another PostgreSQL (process ${recorded}) uses ${directory}. Stop the stack it belongs to, or end it with: kill -INT ${recorded}`,
        { details: { directory, pid: recorded } },
      );
    }
    await delay(100);
  }
}

async function recordedPid(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/**
 * Process ids of the servers (postmaster and its children) that work in `directory`, as PostgreSQL changes into it; undefined where
 * the system has no /proc to tell.
 */
async function serversIn(directory: string): Promise<number[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const here = await Promise.all(
    pids.map((pid) =>
      readlink(`/proc/${pid}/cwd`).then(
        (cwd) => cwd === directory,
        () => false,
      ),
    ),
  );
  return pids.filter((_, index) => here[index]).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
