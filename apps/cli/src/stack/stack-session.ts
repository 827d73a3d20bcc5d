import type { CommandHost } from '../command-host.js';
import type { ProgressDisplay } from '../render/progress-display.js';
import type { StageView } from '../render/stage-view.js';
import { StackProgress } from './stack-progress.js';
import type { StackHandle } from './stack-port.js';

export interface SessionOptions {
  readonly dataDir: string;
  readonly gatewayPort?: number | undefined;
  /** One operation after the other instead of compiled graphs. */
  readonly eager?: boolean | undefined;
  /** Also a worker on the GPU. */
  readonly gpu?: boolean | undefined;
  readonly display: ProgressDisplay;
}

/** Said once Ctrl-C was pressed. */
export const STOPPING = 'stopping everything (Ctrl-C again hurries) …';

/** An embedded stack from its start to its end within one command. */
export class StackSession {
  private constructor(
    readonly stack: StackHandle,
    /** The set-up as a finished stage. */
    readonly setUp: StageView,
    /** Aborted on Ctrl-C, and with the error if a part of the stack is given up. */
    readonly signal: AbortSignal,
  ) {}

  /**
   * @throws FidelisError as LaunchStack
   * @throws InterruptedError once Ctrl-C was pressed; the stack is stopped then
   */
  static async start(
    host: CommandHost,
    { dataDir, gatewayPort, eager, gpu = false, display }: SessionOptions,
  ): Promise<StackSession> {
    const { signal: interrupted, hurry } = host.interrupt;
    interrupted.throwIfAborted();
    const beganAtMs = performance.now();
    const progress = new StackProgress();
    display.show([progress.view()]);
    const sayStopping = (): void => display.note(STOPPING);
    interrupted.addEventListener('abort', sayStopping, { once: true });
    try {
      const stack = await host.launchStack({
        dataDir,
        gpu,
        env: {
          FIDELIS_DATASETS_DIR: host.config.datasetsDir,
          ...(eager === true ? { FIDELIS_EAGER: 'true' } : {}),
        },
        ...(gatewayPort === undefined ? {} : { gatewayPort }),
        signal: interrupted,
        hurry,
        onEvent: (event) => {
          if (interrupted.aborted) return;
          const line = progress.take(event);
          if (!progress.finished) display.show([progress.view()]);
          if (line !== undefined) display.note(line);
        },
      });
      if (interrupted.aborted) await stack.stop();
      interrupted.throwIfAborted();
      progress.finish((performance.now() - beganAtMs) / 1_000);
      const broken = new AbortController();
      void stack.failed.then((error) => broken.abort(error));
      return new StackSession(stack, progress.view(), AbortSignal.any([interrupted, broken.signal]));
    } catch (error) {
      // A start that was called off fails because of that.
      interrupted.throwIfAborted();
      throw error;
    } finally {
      interrupted.removeEventListener('abort', sayStopping);
    }
  }

  /** Ends everything in order; on a second Ctrl-C the rest at once, as the stack was told when it was started. */
  stop(): Promise<void> {
    return this.stack.stop();
  }
}
