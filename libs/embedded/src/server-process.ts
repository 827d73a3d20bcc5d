import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { asStorageError } from './directories.js';
import { executablesOnPath, runToEnd } from './executables.js';

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One incarnation of a server: it runs until `exited` resolves. */
export interface ServerProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Its standard output and error are appended here. */
  readonly logFile: string;
  /** What the server gets when this process dies without having stopped it. */
  readonly deathSignal: 'SIGTERM' | 'SIGINT';
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly env?: NodeJS.ProcessEnv;
}

let setpriv: Promise<string | undefined> | undefined;

/** util-linux' setpriv, if it knows --pdeathsig: the kernel then ends the server when its parent dies, even by SIGKILL. */
function findSetpriv(): Promise<string | undefined> {
  setpriv ??= (async () => {
    if (process.platform !== 'linux') return undefined;
    for (const path of await executablesOnPath('setpriv')) {
      const probe = await runToEnd(path, ['--pdeathsig', 'TERM', 'true'], { timeoutMs: 5_000 });
      if (probe.ok) return path;
    }
    return undefined;
  })();
  return setpriv;
}

/** Where the kernel does not help: a shell that outlives us, sees our end of the pipe close, and then signals the server. */
function watchOver(pid: number, deathSignal: string, user: ServerCommand['user']): ChildProcess {
  const script = `cat >/dev/null; kill -${deathSignal.replace('SIG', '')} ${pid} 2>/dev/null`;
  const watcher = spawn('/bin/sh', ['-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    ...user,
  });
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  watcher.unref();
  return watcher;
}

/**
 * Starts a server whose life ends with ours. It gets a process group of its own, so that Ctrl-C in a terminal reaches only us and
 * we can stop things in order.
 */
export async function startServerProcess(options: ServerCommand): Promise<ServerProcess> {
  const wrapper = await findSetpriv();
  const [command, args] =
    wrapper === undefined
      ? [options.command, [...options.args]]
      : [wrapper, ['--pdeathsig', options.deathSignal.replace('SIG', ''), options.command, ...options.args]];
  const log = openLog(options.logFile);
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      stdio: ['ignore', log, log],
      detached: true,
      cwd: '/',
      env: options.env ?? process.env,
      ...options.user,
    });
  } finally {
    closeSync(log);
  }
  const exited = exitOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid ?? 0;
  const watcher = wrapper === undefined ? watchOver(pid, options.deathSignal, options.user) : undefined;
  if (watcher !== undefined) void exited.then(() => watcher.kill('SIGKILL'));
  return {
    pid,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    signal: (signal) => void child.kill(signal),
  };
}

/** One that could not even be started has ended too. */
export function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

/** A file descriptor to append to. @throws STORAGE.UNWRITABLE */
export function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    throw asStorageError(path, error);
  }
}

/** Asks a server to end, insists after `graceMs`. */
export async function endProcess(
  server: ServerProcess,
  { signal, graceMs }: { readonly signal: NodeJS.Signals; readonly graceMs: number },
): Promise<ProcessExit> {
  if (!server.isRunning()) return server.exited;
  server.signal(signal);
  const timer = setTimeout(() => server.signal('SIGKILL'), graceMs);
  const exit = await server.exited;
  clearTimeout(timer);
  return exit;
}

/** The last lines of a log, for an error message; empty if there is none. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .filter((line) => line !== '');
}

export const describeExit = ({ code, signal }: ProcessExit): string =>
  signal === null ? `exit status ${code ?? 'unknown'}` : `signal ${signal}`;
