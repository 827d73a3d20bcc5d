import { spawn } from 'node:child_process';
import { directorySize } from './files.mjs';

const WATCH_EVERY_MS = 5_000;
const TELLING = /\b(error|fatal|cannot|unable|denied|not found)\b|\b[A-Za-z]*Error:|\bE[A-Z]{5,}\b/;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Record<string, string | undefined>} [env] over the present environment
 * @property {number} [timeoutMs]
 * @property {number} [uid]
 * @property {number} [gid]
 * @property {string} [watch] a directory whose growth is the command's progress
 * @property {number} [stallMs] ended if `watch` has not grown for so long
 * @property {(bytes: number) => void} [onProgress]
 */

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ ok: boolean, output: string, reason: string }>} `reason` says in one line why it failed
 */
export async function runCommand(command, args, options = {}) {
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  });
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  let cutOff = '';
  const cut = (why) => {
    cutOff = why;
    child.kill('SIGKILL');
  };
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => cut(`took more than ${options.timeoutMs / 1000} s`), options.timeoutMs);
  const watcher = options.watch === undefined ? undefined : watchGrowth(options, cut);
  const result = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, failure: error.message }));
    child.once('close', (code, signal) =>
      resolve({ ok: code === 0, failure: signal ?? `exit status ${code}` }),
    );
  });
  clearTimeout(timer);
  clearInterval(watcher);
  const output = Buffer.concat(chunks).toString('utf8');
  return {
    ok: result.ok && cutOff === '',
    output,
    reason: cutOff || `${result.failure}${lastWords(output)}`,
  };
}

/**
 * @param {RunOptions} options
 * @param {(why: string) => void} cut
 */
function watchGrowth(options, cut) {
  let known = -1;
  let grewAt = performance.now();
  return setInterval(async () => {
    const bytes = await directorySize(options.watch);
    if (bytes !== known) grewAt = performance.now();
    known = bytes;
    options.onProgress?.(bytes);
    const still = performance.now() - grewAt;
    if (options.stallMs !== undefined && still > options.stallMs) {
      cut(`nothing arrived for ${Math.round(still / 1000)} s`);
    }
  }, WATCH_EVERY_MS);
}

/** The line of a program's output that most likely says why it failed. */
function lastWords(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  const line = lines.findLast((each) => TELLING.test(each)) ?? lines.at(-1);
  return line === undefined ? '' : `: ${line.slice(0, 300)}`;
}
