import { FidelisError, type RunRecord } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runRecord } from '../../fixtures/records.js';
import { LatestQueue } from './latest-queue.js';
import { followRun, type RunSource } from './run-follower.js';

const POLL_MS = 5_000;

class FakeSource implements RunSource {
  readonly changes = new LatestQueue<{ payload: RunRecord }>(100, () => undefined);
  answer: () => Promise<RunRecord>;
  reads = 0;
  closed = false;
  gapListeners = new Set<() => void>();

  constructor(run: RunRecord) {
    this.answer = () => Promise.resolve(run);
  }

  read(): Promise<RunRecord> {
    this.reads += 1;
    return this.answer();
  }

  subscribe(): AsyncIterable<{ payload: RunRecord }> & { close(): void } {
    return {
      [Symbol.asyncIterator]: () => this.changes,
      close: () => {
        this.closed = true;
        this.changes.end();
      },
    };
  }

  onGap(listener: () => void): () => void {
    this.gapListeners.add(listener);
    return () => this.gapListeners.delete(listener);
  }
}

function follow(
  source: FakeSource,
  queueLimit = 16,
): { states: Promise<AsyncIterableIterator<RunRecord>>; ends: () => number } {
  let ends = 0;
  const states = followRun(source, { pollMs: POLL_MS, queueLimit, onEnd: () => (ends += 1) });
  return { states, ends: () => ends };
}

function atStep(step: number, state: RunRecord['state'] = 'training'): RunRecord {
  return runRecord({ state, progress: { ...runRecord().progress, step } });
}

async function steps(states: AsyncIterable<RunRecord>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { state, progress } of states) seen.push(`${state} ${progress.step}`);
  return seen;
}

describe('followRun', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives the current state at once, then each change, and completes after an ended state', async () => {
    const source = new FakeSource(atStep(1));
    const { states, ends } = follow(source);
    const seen = steps(await states);
    for (const run of [atStep(2), atStep(3), atStep(3, 'completed')]) source.changes.push({ payload: run });
    expect(await seen).toEqual(['training 1', 'training 2', 'training 3', 'completed 3']);
    expect([source.closed, source.gapListeners.size, ends()]).toEqual([true, 0, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives one state of a run that has ended, and completes', async () => {
    const source = new FakeSource(atStep(3, 'failed'));
    expect(await steps(await follow(source).states)).toEqual(['failed 3']);
    expect(source.closed).toBe(true);
  });

  it('fails at once for a run that does not exist, and leaves nothing open', async () => {
    const source = new FakeSource(atStep(1));
    source.answer = () => Promise.reject(new FidelisError('RUN.NOT_FOUND', 'no run r-1'));
    const { states, ends } = follow(source);
    await expect(states).rejects.toMatchObject({ code: 'RUN.NOT_FOUND' });
    expect([source.closed, source.gapListeners.size, ends()]).toEqual([true, 0, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes over changes that come later than an answer that was read after them', async () => {
    const source = new FakeSource(atStep(5));
    source.changes.push({ payload: atStep(4) });
    const seen = steps(await follow(source).states);
    source.changes.push({ payload: atStep(6, 'completed') });
    expect(await seen).toEqual(['training 5', 'completed 6']);
  });

  it('reads the run again after a gap, so that a lost last change does not hold it for ever', async () => {
    const source = new FakeSource(atStep(1));
    const states = await follow(source).states;
    source.answer = () => Promise.resolve(atStep(9, 'completed'));
    for (const listener of source.gapListeners) listener();
    expect(await steps(states)).toEqual(['training 1', 'completed 9']);
  });

  it('polls, and tells of nothing where nothing changed', async () => {
    const source = new FakeSource(atStep(1));
    const states = await follow(source).states;
    await vi.advanceTimersByTimeAsync(3 * POLL_MS);
    expect(source.reads).toBe(4);
    source.answer = () => Promise.resolve(atStep(2, 'cancelled'));
    await vi.advanceTimersByTimeAsync(POLL_MS);
    expect(await steps(states)).toEqual(['training 1', 'cancelled 2']);
  });

  it('outlives a service that restarts, and ends with an error that stays', async () => {
    const source = new FakeSource(atStep(1));
    const states = await follow(source).states;
    expect((await states.next()).done).toBe(false);
    source.answer = () => Promise.reject(new FidelisError('BUS.TIMEOUT', 'restarting'));
    await vi.advanceTimersByTimeAsync(POLL_MS);
    expect(source.closed).toBe(false);
    source.answer = () => Promise.reject(new FidelisError('RUN.NOT_FOUND', 'gone'));
    await vi.advanceTimersByTimeAsync(POLL_MS);
    await expect(states.next()).rejects.toMatchObject({ code: 'RUN.NOT_FOUND' });
  });

  it('keeps the newest states for a reader that is too slow, the ended one among them', async () => {
    const source = new FakeSource(atStep(0));
    const states = await follow(source, 3).states;
    for (let step = 1; step <= 50; step += 1) source.changes.push({ payload: atStep(step) });
    source.changes.push({ payload: atStep(50, 'completed') });
    await vi.waitFor(() => expect(source.closed).toBe(true));
    expect(await steps(states)).toEqual(['training 49', 'training 50', 'completed 50']);
  });

  it('stops everything when the reader leaves', async () => {
    const source = new FakeSource(atStep(1));
    const { states, ends } = follow(source);
    const iterator = await states;
    await iterator.return?.();
    expect([source.closed, source.gapListeners.size, ends()]).toEqual([true, 0, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
