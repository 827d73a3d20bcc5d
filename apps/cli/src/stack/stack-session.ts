import type { CommandHost } from '../command-host.js';
import type { ProgressDisplay } from '../render/progress-display.js';
import type { StageView } from '../render/stage-view.js';
import { StackProgress } from './stack-progress.js';
import type { StackHandle } from './stack-port.js';

export interface SessionOptions {
  readonly dataDir: string;
  readonly gatewayPort?: number | undefined;
  readonly display: ProgressDisplay;
}

/** An embedded stack from its start to its end within one command. */
export class StackSession {
  private constructor(
    readonly stack: StackHandle,
    /** The set-up as a finished stage. */
    readonly setUp: StageView,
    /** Aborted on Ctrl-C, and with the error if a part of the stack is given up. */
    readonly signal: AbortSignal,
    private readonly host: CommandHost,
  ) {}

  /**
   * @throws FidelisError as LaunchStack
   * @throws InterruptedError once Ctrl-C was pressed; the stack is stopped then
   */
  static async start(
    host: CommandHost,
    { dataDir, gatewayPort, display }: SessionOptions,
  ): Promise<StackSession> {
    const interrupted = host.interrupt.signal;
    interrupted.throwIfAborted();
    const beganAtMs = performance.now();
    const progress = new StackProgress();
    display.show([progress.view()]);
    const stack = await host.launchStack({
      dataDir,
      ...(gatewayPort === undefined ? {} : { gatewayPort }),
      onEvent: (event) => {
        const line = progress.take(event);
        if (!progress.finished) display.show([progress.view()]);
        if (line !== undefined && !interrupted.aborted) display.note(line);
      },
    });
    progress.finish((performance.now() - beganAtMs) / 1_000);
    const broken = new AbortController();
    void stack.failed.then((error) => broken.abort(error));
    const signal = AbortSignal.any([interrupted, broken.signal]);
    const session = new StackSession(stack, progress.view(), signal, host);
    if (interrupted.aborted) {
      await session.stop();
      interrupted.throwIfAborted();
    }
    return session;
  }

  /** Ends everything in order; on a second Ctrl-C at once. */
  async stop(): Promise<void> {
    const { hurry } = this.host.interrupt;
    const force = (): void => void this.stack.stop({ force: true });
    hurry.addEventListener('abort', force, { once: true });
    try {
      await this.stack.stop({ force: hurry.aborted });
    } finally {
      hurry.removeEventListener('abort', force);
    }
  }
}
