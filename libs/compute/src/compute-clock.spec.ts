import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { computeClock } from './compute-clock.js';

async function secondsOver(clock: () => number, work: () => Promise<void> | void): Promise<number> {
  const before = clock();
  await work();
  return clock() - before;
}

function compute(milliseconds: number): void {
  const { user, system } = process.cpuUsage();
  for (;;) {
    const used = process.cpuUsage({ user, system });
    if (used.user + used.system >= milliseconds * 1_000) return;
  }
}

describe('computeClock', () => {
  it('counts, of a processor, what this process has had of it, and no waiting', async () => {
    const clock = computeClock({ kind: 'cpu', name: 'a processor' });
    expect(await secondsOver(clock, () => compute(100))).toBeGreaterThanOrEqual(0.1);
    expect(await secondsOver(clock, () => sleep(400))).toBeLessThan(0.3);
  });

  it('counts, of a GPU, the time that passes', async () => {
    const clock = computeClock({ kind: 'gpu', name: 'a GPU' });
    expect(await secondsOver(clock, () => sleep(100))).toBeGreaterThanOrEqual(0.099);
  });
});
