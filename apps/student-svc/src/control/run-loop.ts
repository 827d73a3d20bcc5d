import { ENDED_RUN_STATES, runStates } from '@fidelis/contracts';
import type { Logger, MetricsRegistry } from '@fidelis/observability';
import type { RunReconciler } from './run.reconciler.js';
import type { RunRepository } from './run.repository.js';

/** Every so often each unfinished run is looked at, whatever was heard of it. */
const TICK_MS = 1_000;

/** Turns the reconciler: one look at a time for each run, as soon as something may have changed and at every tick. */
export class RunLoop {
  private readonly waiting = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly runs: RunRepository,
    private readonly reconciler: RunReconciler,
    private readonly metrics: MetricsRegistry,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.working;
  }

  /** Looks at this run soon. */
  look(runId: string): void {
    this.waiting.add(runId);
    this.turn();
  }

  private tick(): void {
    void this.lookAtAll().catch((error: unknown) =>
      this.logger.warn({ err: error }, 'runs could not be read; will be tried again'),
    );
  }

  private async lookAtAll(): Promise<void> {
    for (const { id } of await this.runs.unfinished()) this.waiting.add(id);
    this.turn();
    const counts = await this.runs.countByState();
    for (const state of runStates) this.metrics.gauge('fidelis_runs').set({ state }, counts.get(state) ?? 0);
  }

  private turn(): void {
    if (this.stopped) return;
    this.working ??= this.work()
      .catch((error: unknown) =>
        this.logger.warn({ err: error }, 'a run could not be looked at; will be tried again'),
      )
      .finally(() => {
        this.working = undefined;
      });
  }

  private async work(): Promise<void> {
    for (const id of this.waiting) {
      this.waiting.delete(id);
      const row = await this.runs.get(id);
      if (!ENDED_RUN_STATES.includes(row.state)) await this.reconciler.reconcile(row);
      if (this.stopped) return;
    }
  }
}
