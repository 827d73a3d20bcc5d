import { createLogger, MetricsRegistry } from '@fidelis/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { at, runOf } from '../../fixtures/records.js';
import { RunLoop } from './run-loop.js';
import type { RunRow } from './run.entity.js';
import type { RunReconciler } from './run.reconciler.js';
import type { RunRepository } from './run.repository.js';

describe('RunLoop', () => {
  let rows: Map<string, RunRow>;
  let looks: string[];
  /** Ends the look at a run that is kept waiting. */
  let releases: Map<string, () => void>;
  let kept: Set<string>;
  let loop: RunLoop;

  beforeEach(() => {
    vi.useFakeTimers();
    rows = new Map();
    looks = [];
    releases = new Map();
    kept = new Set();
    const runs = {
      get: async (id: string) => {
        const row = rows.get(id);
        if (row === undefined) throw new Error(`no run ${id}`);
        return row;
      },
      unfinished: async () => [...rows.values()].filter(({ endedAt }) => endedAt === null),
      unreleased: async () =>
        [...rows.values()].filter(({ endedAt, released }) => endedAt !== null && !released),
      countByState: async () => new Map([['queued', rows.size]]),
    };
    const reconciler = {
      reconcile: async ({ id }: RunRow) => {
        looks.push(id);
        if (kept.has(id)) await new Promise<void>((resolve) => releases.set(id, resolve));
      },
    };
    loop = new RunLoop(
      runs as unknown as RunRepository,
      reconciler as unknown as RunReconciler,
      new MetricsRegistry('student-svc', '0.1.0'),
      createLogger({ service: 'student-svc', level: 'fatal' }),
    );
  });
  afterEach(async () => {
    for (const release of releases.values()) release();
    await loop.stop();
    vi.useRealTimers();
  });

  function add(id: string, state: RunRow['state'] = 'queued'): void {
    rows.set(id, { ...runOf(), id, state, endedAt: state === 'queued' ? null : at(1) });
  }
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

  it('looks at every unfinished run at the start and at every tick, and at ended ones that are not released', async () => {
    add('r-1');
    add('r-2', 'completed');
    add('r-released', 'failed');
    rows.set('r-released', { ...runOf(), id: 'r-released', endedAt: at(1), released: true });
    loop.start();
    await settle();
    expect(looks).toEqual(['r-1', 'r-2']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(looks).toEqual(['r-1', 'r-2', 'r-1', 'r-2']);
  });

  it('holds up no run for one that waits', async () => {
    add('r-waits');
    add('r-2');
    kept.add('r-waits');
    loop.look('r-waits');
    loop.look('r-2');
    await settle();
    loop.look('r-2');
    await settle();
    expect(looks).toEqual(['r-waits', 'r-2', 'r-2']);
  });

  it('looks at one run once at a time, and again if something came meanwhile', async () => {
    add('r-1');
    kept.add('r-1');
    loop.look('r-1');
    await settle();
    loop.look('r-1');
    loop.look('r-1');
    await settle();
    expect(looks).toEqual(['r-1']);
    kept.clear();
    releases.get('r-1')?.();
    await settle();
    expect(looks).toEqual(['r-1', 'r-1']);
  });

  it('comes to every run, however many there are', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `r-${i}`);
    for (const id of ids) add(id);
    for (const id of ids) loop.look(id);
    await settle();
    expect([...looks].sort()).toEqual([...ids].sort());
  });

  it('goes on after one that could not be read', async () => {
    add('r-2');
    for (const id of ['r-nobody', 'r-2']) loop.look(id);
    await settle();
    expect(looks).toEqual(['r-2']);
  });

  it('stops after what is in hand', async () => {
    add('r-1');
    kept.add('r-1');
    loop.start();
    await settle();
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    loop.look('r-1');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stopped).toBe(false);
    kept.clear();
    releases.get('r-1')?.();
    await stopping;
    expect(looks).toEqual(['r-1']);
  });
});
