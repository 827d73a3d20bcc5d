import { describe, expect, it } from 'vitest';
import { Output } from '../output.js';
import { WorkProgress } from './work-progress.js';

function watchedBy(isTTY: boolean): {
  readonly written: string[];
  readonly progress: WorkProgress;
  readonly clock: { ms: number };
  readonly abort: AbortController;
} {
  const written: string[] = [];
  const clock = { ms: 0 };
  const abort = new AbortController();
  const stderr = { isTTY, columns: 100, write: (text: string) => written.push(text) };
  const output = new Output({ write: () => undefined }, stderr, false, false);
  return { written, clock, abort, progress: new WorkProgress(output, abort.signal, () => clock.ms) };
}

const half = { label: 'scoring', done: 50, total: 100, unit: 'samples' };

describe('WorkProgress', () => {
  it('says nothing of work that takes less than two seconds', async () => {
    const { written, progress, clock } = watchedBy(true);
    await progress.advance(half);
    clock.ms = 1_999;
    await progress.advance({ ...half, done: 100 });
    progress.end();
    expect(written).toEqual([]);
  });

  it('draws a bar for each part of longer work', async () => {
    const { written, progress, clock } = watchedBy(true);
    await progress.advance({ ...half, done: 100 });
    clock.ms = 2_000;
    await progress.advance({ ...half, label: 'intervals' });
    progress.end();
    expect(written.join('')).toMatch(/scoring +▕█+▏ 100 samples/);
    expect(written.join('')).toMatch(/intervals +▕█+ +▏ 50 %/);
  });

  it('writes nothing where nobody watches', async () => {
    const { written, progress, clock } = watchedBy(false);
    clock.ms = 60_000;
    await progress.advance(half);
    progress.end();
    expect(written).toEqual([]);
  });

  it('gives up once it is told to', async () => {
    const { progress, abort } = watchedBy(true);
    abort.abort(new Error('enough'));
    await expect(progress.advance(half)).rejects.toThrow('enough');
  });
});
