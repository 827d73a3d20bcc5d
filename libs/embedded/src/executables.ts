import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ANSWER_DEADLINE_MS = 10_000;

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Every executable of that name on the search path, in its order. */
export async function executablesOnPath(
  name: string,
  searchPath = process.env['PATH'] ?? '',
): Promise<string[]> {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const candidates = searchPath
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, file));
  const usable = await Promise.all(candidates.map(isExecutable));
  return candidates.filter((_, index) => usable[index]);
}

/** The first dotted number in what `path --version` prints; undefined if it does not run. */
export async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(path, ['--version'], { timeout: ANSWER_DEADLINE_MS, cwd: '/' });
    return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0];
  } catch {
    return undefined;
  }
}

/** Compares dotted numbers: is `version` at least `least`? */
export function isAtLeast(version: string, least: string): boolean {
  const have = version.split('.').map(Number);
  const need = least.split('.').map(Number);
  for (let index = 0; index < Math.max(have.length, need.length); index += 1) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Runs to the end; what it printed, whatever the exit status. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: {
    readonly uid?: number;
    readonly gid?: number;
    readonly env?: NodeJS.ProcessEnv;
    readonly timeoutMs: number;
  },
): Promise<{ readonly ok: boolean; readonly output: string }> {
  const { timeoutMs, ...rest } = options;
  try {
    const { stdout, stderr } = await run(command, args, { ...rest, timeout: timeoutMs, cwd: '/' });
    return { ok: true, output: `${stdout}${stderr}` };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return { ok: false, output: `${stdout}${stderr}`.trim() || message };
  }
}
