import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { collectProcessMetrics, eventLoopLag } from './event-loop-lag.js';

function gauge(): { readonly read: () => Promise<number> } {
  const registry = new Registry();
  const lag = eventLoopLag({ name: 'lag', help: 'Lag.', registers: [registry] });
  return {
    read: async () => (await lag.get()).values[0]?.value ?? Number.NaN,
  };
}

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('eventLoopLag', () => {
  it('tells how late the event loop was, and only of the time since the last look', async () => {
    const { read } = gauge();
    await sleep(250);
    block(1_000);
    await sleep(250);
    const blocked = await read();
    expect(blocked).toBeGreaterThan(0.85);
    await sleep(450);
    expect(await read()).toBeLessThan(blocked / 2);
  });

  it('is 0 before the first look, not the time between two', async () => {
    expect(await gauge().read()).toBe(0);
  });
});

describe('collectProcessMetrics', () => {
  it('shows nothing that wakes the process up all the time', () => {
    const registry = new Registry();
    collectProcessMetrics(registry);
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    expect(names).toContain('process_resident_memory_bytes');
    expect(names).toContain('nodejs_eventloop_lag_seconds');
    expect(names.filter((name) => /^nodejs_eventloop_lag_.+_seconds$/.test(name))).toEqual([]);
  });
});
