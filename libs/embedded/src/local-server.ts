import { endProcess, type ProcessExit, type ServerProcess } from './server-process.js';

export interface LocalServerTraits {
  readonly version: string;
  readonly logFile: string;
  /** What makes it flush and end. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly stopGraceMs: number;
}

/** A server on loopback as a child process that dies with this one; it can be stopped, killed, and started again over the same data. */
export abstract class LocalServer {
  protected constructor(
    private readonly traits: LocalServerTraits,
    private server: ServerProcess,
    readonly port: number,
  ) {}

  /** Starts it over the same data and port. */
  protected abstract launchAgain(): Promise<ServerProcess>;

  get pid(): number {
    return this.server.pid;
  }

  get version(): string {
    return this.traits.version;
  }

  get logFile(): string {
    return this.traits.logFile;
  }

  /** Of the present incarnation. */
  get exited(): Promise<ProcessExit> {
    return this.server.exited;
  }

  isRunning(): boolean {
    return this.server.isRunning();
  }

  /** Lets it flush and end. Does nothing if it has ended. */
  async stop(): Promise<void> {
    await endProcess(this.server, { signal: this.traits.stopSignal, graceMs: this.traits.stopGraceMs });
  }

  /** Sends the signal; one that ends the process (all but SIGSTOP and SIGCONT) is waited for. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.server.isRunning()) return;
    this.server.signal(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.server.exited;
  }

  /** Starts it again over the same data and port, after stopping it if it runs. */
  async restart(): Promise<void> {
    await this.stop();
    this.server = await this.launchAgain();
  }
}
