import { setTimeout as sleep } from 'node:timers/promises';
import { runStates } from '@fidelis/contracts';
import type { Logger, MetricsRegistry } from '@fidelis/observability';
import type { RunReconciler } from './run.reconciler.js';
import type { RunRepository } from './run.repository.js';

/** Every so often each run that is not finished, or not released by its streams, is looked at, whatever was heard of it. */
const TICK_MS = 1_000;
/** Runs that are looked at at once: one that waits for a service that is away must not hold up the others. Fewer than the database's connections. */
const AT_ONCE = 8;
/** A look in hand at the end can wait for an absent NATS: every step of it can be done again by the next start. */
const STOP_LIMIT_MS = 2_000;

/** Turns the reconciler: one look at a time for each run, as soon as something may have changed and at every tick. */
export class RunLoop {
  private readonly waiting = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private readonly inHand = new Map<string, Promise<void>>();
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
    const inHand = Promise.all(this.inHand.values());
    await Promise.race([inHand, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
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
    for (const { id } of await this.runs.unreleased()) this.waiting.add(id);
    this.turn();
    const counts = await this.runs.countByState();
    for (const state of runStates) this.metrics.gauge('fidelis_runs').set({ state }, counts.get(state) ?? 0);
  }

  private turn(): void {
    for (const id of this.waiting) {
      if (this.stopped || this.inHand.size >= AT_ONCE) return;
      // What may have changed while it is looked at is seen by the next look.
      if (this.inHand.has(id)) continue;
      this.waiting.delete(id);
      this.inHand.set(id, this.lookAt(id));
    }
  }

  private async lookAt(id: string): Promise<void> {
    try {
      const row = await this.runs.get(id);
      await this.reconciler.reconcile(row);
    } catch (error) {
      this.logger.warn({ err: error }, 'a run could not be looked at; will be tried again');
    } finally {
      this.inHand.delete(id);
      this.turn();
    }
  }
}
