import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;

/**
 * Holds a lock file while `work` runs. One that was left by a process that no longer exists is taken over.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(pid: number) => void} onWait told once, when another process holds it
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  await mkdir(dirname(path), { recursive: true });
  let waiting = false;
  while (!(await acquire(path))) {
    const holder = await readHolder(path);
    if (holder !== undefined && !(await isHeld(holder))) {
      await takeAway(path, holder);
    } else {
      if (holder !== undefined && !waiting) onWait(holder.pid);
      waiting = true;
      await delay(POLL_MS);
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** @param {string} path */
async function acquire(path) {
  // Written under a name of our own first and then linked, so that a lock is never seen empty.
  const own = `${path}.${process.pid}`;
  await writeFile(own, JSON.stringify({ pid: process.pid, startedAt: await startOf(process.pid) }));
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/**
 * @param {string} path
 * @returns {Promise<{ pid: number, startedAt?: string } | undefined>}
 */
async function readHolder(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {{ pid: number, startedAt?: string }} holder */
async function isHeld({ pid, startedAt }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  const now = await startOf(pid);
  return startedAt === undefined || now === undefined || now === startedAt;
}

/** Another waiter may do the same at once: only the one that moves the very lock it judged takes it away. */
async function takeAway(path, holder) {
  const moved = `${path}.stale-${process.pid}`;
  try {
    await rename(path, moved);
  } catch {
    return;
  }
  const found = await readHolder(moved);
  if (found !== undefined && found.pid !== holder.pid) {
    await link(moved, path).catch(() => undefined);
  }
  await rm(moved, { force: true });
}

/**
 * When a process began, in the kernel's ticks: tells it from a later one with the same id. Linux only.
 * @param {number} pid
 * @returns {Promise<string | undefined>}
 */
async function startOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
