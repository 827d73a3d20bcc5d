import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errorWireSchema, FidelisError } from '@fidelis/contracts';
import { describeExit, exitOf, lastLines, openLog, type ProcessExit } from './server-process.js';
import type { Incarnation } from './supervised.js';

const READY_DEADLINE_MS = 90_000;
const PROBE_DEADLINE_MS = 3_000;
const POLL_MS = 100;
/** A service drains within this; then it is cut off. */
const STOP_GRACE_MS = 30_000;

export interface ServiceLaunch {
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  readonly url: string;
  readonly readyPath: string;
  readonly logFile: string;
  readonly workingDirectory: string;
}

/**
 * Starts a service. It has a channel to us and drains itself when the channel closes: so it ends with us even if we are killed. Its
 * process group is its own, so that Ctrl-C in a terminal reaches only us.
 */
export function launchService(launch: ServiceLaunch): Incarnation {
  const log = openLog(launch.logFile);
  const child = spawn(process.execPath, ['--enable-source-maps', launch.entry], {
    cwd: launch.workingDirectory,
    env: launch.env,
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  const exited = exitOf(child);
  const failedToSpawn = new Promise<never>((_, reject) => child.once('error', reject));
  const isRunning = (): boolean =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const ready = Promise.race([untilReady(launch, exited), failedToSpawn]);
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    exited,
    stop: async () => {
      if (!isRunning()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await exited;
      clearTimeout(timer);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

async function untilReady(launch: ServiceLaunch, exited: Promise<ProcessExit>): Promise<void> {
  let exit: ProcessExit | undefined;
  void exited.then((value) => (exit = value));
  const deadline = Date.now() + READY_DEADLINE_MS;
  let last = 'no answer';
  while (exit === undefined && Date.now() < deadline) {
    const answer = await probe(`${launch.url}${launch.readyPath}`);
    if (answer === 'ready') return;
    last = answer;
    await delay(POLL_MS);
  }
  if (exit !== undefined) throw (await ownError(launch.logFile)) ?? new Error(describeExit(exit));
  throw new Error(`not ready within ${READY_DEADLINE_MS / 1000} s: ${last}`);
}

async function probe(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
    const body = await response.text();
    return response.ok ? 'ready' : `${response.status} ${body.slice(0, 300)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What a service that cannot start says in its last log line: its code and what to do. */
async function ownError(logFile: string): Promise<FidelisError | undefined> {
  const [line] = await lastLines(logFile, 1);
  try {
    const entry = JSON.parse(line ?? '') as { code?: unknown; msg?: unknown };
    if (entry.code === undefined) return undefined;
    const wire = errorWireSchema
      .omit({ retryable: true, details: true })
      .parse({ code: entry.code, message: entry.msg });
    return new FidelisError(wire.code, wire.message);
  } catch {
    return undefined;
  }
}
