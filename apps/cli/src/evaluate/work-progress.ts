import { setImmediate } from 'node:timers/promises';
import type { Output } from '../output.js';
import type { ProgressDisplay } from '../render/progress-display.js';
import type { StageView } from '../render/stage-view.js';

/** Work that takes less shows nothing. */
const SHOWN_AFTER_MS = 2_000;
/** At least this often signals are let in: Ctrl-C is heard at once to a person. */
const PAUSE_MS = 50;

export type StageProgress = Pick<StageView, 'label' | 'done' | 'total' | 'unit' | 'note'>;

/** How far long work is: bars on a terminal, nothing elsewhere, and an ear for Ctrl-C between its steps. */
export class WorkProgress {
  private readonly startedMs: number;
  private pausedMs: number;
  private display: ProgressDisplay | undefined;
  private readonly stages = new Map<string, StageView & { readonly startedMs: number }>();

  constructor(
    private readonly output: Pick<Output, 'bars'>,
    private readonly signal: AbortSignal,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.startedMs = now();
    this.pausedMs = this.startedMs;
  }

  /**
   * Tells what is done now.
   *
   * @throws the signal's reason if it is aborted
   */
  async advance(stage: StageProgress): Promise<void> {
    const nowMs = this.now();
    const startedMs = this.stages.get(stage.label)?.startedMs ?? nowMs;
    const state = stage.done >= stage.total ? 'done' : 'running';
    this.stages.set(stage.label, { ...stage, state, startedMs, seconds: (nowMs - startedMs) / 1_000 });
    if (nowMs - this.startedMs >= SHOWN_AFTER_MS) {
      this.display ??= this.output.bars();
      this.display?.show([...this.stages.values()]);
    }
    if (nowMs - this.pausedMs >= PAUSE_MS) {
      await setImmediate();
      this.pausedMs = this.now();
    }
    this.signal.throwIfAborted();
  }

  /** Leaves the bars as they are. Nothing may follow. */
  end(): void {
    this.display?.end();
  }
}
