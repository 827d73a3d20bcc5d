import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface ServiceProcess {
  /** What it has logged so far, for whoever asks why. */
  log(): string;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** A service as it is deployed: a process of its own, from its build, with its own environment. */
export function startProcess(
  app: 'metrics-svc' | 'student-svc' | 'teacher-svc',
  environment: Readonly<Record<string, string>>,
): ServiceProcess {
  const child = spawn(process.execPath, [`apps/${app}/dist/main.js`], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  return {
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
