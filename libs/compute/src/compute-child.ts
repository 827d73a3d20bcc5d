import { fork, type ChildProcess } from 'node:child_process';
import { errorWireSchema, FidelisError } from '@fidelis/contracts';
import { computeEnvironment } from './compute-environment.js';
import { FlowChannel, isEnvelope, type Envelope } from './flow-channel.js';
import { StderrTail } from './stderr-tail.js';

export interface ComputeChildOptions {
  /** Added to this process's own environment. FIDELIS_PLACEMENT=gpu gives the child the GPU; without, it sees none. */
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
  /** Each line that the child writes on stderr. @default passed on to this process's stderr */
  readonly onStderrLine?: (line: string) => void;
}

export interface ChildExit {
  /** null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It said goodbye, or was asked to stop. */
  readonly expected: boolean;
}

/**
 * A process that computes, so that a long step does not stop the service and a crash of a native library is an error of one job.
 * Messages are cloned structurally (typed arrays travel as they are), with back-pressure both ways; the
 * program at `entry` opens its end with `childPort`.
 */
export class ComputeChild<ToChild, FromChild> {
  /** Settles when the process is gone and everything it wrote has been read. Never rejects. */
  readonly exit: Promise<ChildExit>;
  /**
   * What the child sends, in order; ends with its goodbye or after `stop`. One consumer.
   *
   * Throws what the child failed with, or FidelisError TRAINING.CHILD_EXITED (with signal, code and the last lines of
   * stderr) if it ended without a goodbye.
   */
  readonly messages: AsyncIterable<FromChild>;
  private readonly channel: FlowChannel<ToChild, FromChild>;
  private readonly stderr: StderrTail;
  private saidGoodbye = false;
  private stopAsked = false;

  private constructor(
    private readonly process: ChildProcess,
    options: ComputeChildOptions,
  ) {
    this.channel = new FlowChannel((envelope) => post(process, envelope));
    this.messages = this.channel.messages;
    if (process.stderr === null) throw new Error('the child has no stderr');
    this.stderr = new StderrTail(process.stderr, options.onStderrLine ?? passOn);
    process.on('message', (message) => {
      if (isEnvelope(message)) this.accept(message);
    });
    this.exit = new Promise((resolve) => {
      // A program that cannot be started emits "error" and no "close".
      process.once('error', (error) => {
        if (process.pid === undefined) resolve(this.ended(null, null, error));
      });
      process.once('close', (code, signal) => resolve(this.ended(code, signal)));
    });
  }

  static spawn<ToChild, FromChild>(
    entry: URL,
    options: ComputeChildOptions = {},
  ): ComputeChild<ToChild, FromChild> {
    const env = { ...process.env, ...options.env };
    const child = fork(entry, [], {
      env: { ...env, ...computeEnvironment(env) },
      execArgv: [...(options.execArgv ?? [])],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    return new ComputeChild(child, options);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /**
   * Waits while the child has not taken the messages before.
   *
   * @throws FidelisError TRAINING.CHILD_EXITED, or what the child failed with, if it is gone
   */
  async send(message: ToChild): Promise<void> {
    try {
      await this.channel.send(message);
    } catch (error) {
      if (FidelisError.is(error)) throw error;
      // The pipe broke under the message: how the process ended is known a moment later, and then the channel says it.
      await this.exit;
      await this.channel.send(message);
    }
  }

  /** Asks the child to finish; SIGTERM after `graceMs`, SIGKILL after as long again. Resolves when it is gone. */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<ChildExit> {
    this.stopAsked = true;
    if (this.process.connected) await post(this.process, { kind: 'stop' }).catch(() => undefined);
    const terminate = setTimeout(() => this.process.kill('SIGTERM'), graceMs);
    const kill = setTimeout(() => this.process.kill('SIGKILL'), 2 * graceMs);
    try {
      return await this.exit;
    } finally {
      clearTimeout(terminate);
      clearTimeout(kill);
    }
  }

  private accept(envelope: Envelope): void {
    this.channel.accept(envelope);
    if (envelope.kind === 'goodbye') {
      this.saidGoodbye = true;
      this.channel.end();
    } else if (envelope.kind === 'failure') {
      this.saidGoodbye = true;
      this.channel.end(FidelisError.fromWire(errorWireSchema.parse(envelope.error)));
    }
  }

  private ended(code: number | null, signal: NodeJS.Signals | null, cause?: Error): ChildExit {
    const expected = this.saidGoodbye || this.stopAsked;
    this.channel.end(expected ? undefined : this.crash(code, signal, cause));
    return { code, signal, expected };
  }

  private crash(code: number | null, signal: NodeJS.Signals | null, cause?: Error): FidelisError {
    const how = signal === null ? `with exit status ${code ?? 'unknown'}` : `by ${signal}`;
    const lastLine = this.stderr.lines.findLast((line) => line.trim() !== '');
    const why = cause?.message ?? lastLine;
    return new FidelisError(
      'TRAINING.CHILD_EXITED',
      `the compute process ended ${how} before its work was done${why === undefined ? '' : `: ${why}`}`,
      { details: { code, signal, stderr: this.stderr.lines.slice() }, cause },
    );
  }
}

function post(child: ChildProcess, envelope: Envelope): Promise<void> {
  return new Promise((resolve, reject) => {
    child.send(envelope, (error) => (error === null ? resolve() : reject(error)));
  });
}

function passOn(line: string): void {
  process.stderr.write(`${line}\n`);
}
