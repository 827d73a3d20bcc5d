import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** What a measured process answers, one JSON document per line. */
export interface Answer {
  /** First line: resident set once its library is loaded and nothing is computed. */
  readonly idleBytes?: number;
  /** To `steps N`. */
  readonly seconds?: number;
  /** To `peak`: the largest resident set so far. */
  readonly peakBytes?: number;
  /** Instead of any: why it cannot. */
  readonly unavailable?: string;
}

/**
 * A process that does distillation steps when it is told to and nothing in between, so that several can wait beside each other and be
 * measured in turns. It reads `steps N` and `peak` from its standard input; its end is the end of that.
 */
export class MeasuredProcess {
  private readonly lines: AsyncIterator<string, undefined>;
  private idleBytes = 0;

  private constructor(private readonly child: ChildProcessByStdio<Writable, Readable, null>) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * @param cpus the processors it may use, as `taskset` takes them
   * @returns the process once its library is loaded, or why there is none
   */
  static async start(
    command: readonly string[],
    cpus: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<MeasuredProcess | string> {
    const child = spawn('taskset', ['-c', cpus, ...command], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ...environment },
    });
    const started = new MeasuredProcess(child);
    const { idleBytes, unavailable } = await started.answer();
    if (idleBytes === undefined) {
      started.end();
      return unavailable ?? 'it does not start';
    }
    started.idleBytes = idleBytes;
    return started;
  }

  /** @returns seconds of these steps, or why it cannot do them */
  async steps(count: number): Promise<number | string> {
    this.child.stdin.write(`steps ${count}\n`);
    const { seconds, unavailable } = await this.answer();
    return seconds ?? unavailable ?? 'it ended';
  }

  /** Largest resident set, less that of the idle library. */
  async peakMemoryBytes(): Promise<number> {
    this.child.stdin.write('peak\n');
    const { peakBytes = 0 } = await this.answer();
    return Math.max(0, peakBytes - this.idleBytes);
  }

  end(): void {
    this.child.stdin.end();
    this.child.kill('SIGKILL');
  }

  private async answer(): Promise<Answer> {
    const line = await this.lines.next();
    return line.done === true ? {} : (JSON.parse(line.value) as Answer);
  }
}
