import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FIDELIS = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));

export interface CommandEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `fidelis` command as a process of its own, as a shell would start it. */
export class Command {
  private out = '';
  private err = '';
  readonly ended: Promise<CommandEnd>;
  private readonly child: ChildProcess;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [FIDELIS, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (status) => resolve({ status, stdout: this.out, stderr: this.err }));
    });
  }

  get stderr(): string {
    return this.err;
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }
}

/** Processes whose command line or working directory mentions the path: what a stack with this data directory consists of. */
export function processesOf(path: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(path) || environment.includes(path);
      } catch {
        return false;
      }
    })
    .map(Number);
}
