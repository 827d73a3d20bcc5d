import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whileWorking } from './while-working.js';

const ACK_WAIT_MS = 30_000;

describe('work on a message', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is said to go on several times within ack_wait, from its beginning to its end', async () => {
    const working = vi.fn();
    const result = whileWorking(
      { working },
      () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), 10 * ACK_WAIT_MS + 1)),
    );
    for (let waits = 1; waits <= 10; waits++) {
      working.mockClear();
      await vi.advanceTimersByTimeAsync(ACK_WAIT_MS);
      expect(working.mock.calls.length).toBeGreaterThanOrEqual(3);
    }
    await vi.advanceTimersByTimeAsync(1);
    await expect(result).resolves.toBe('done');
    working.mockClear();
    await vi.advanceTimersByTimeAsync(ACK_WAIT_MS);
    expect(working).not.toHaveBeenCalled();
  });

  it('is not said to go on after it has failed', async () => {
    const working = vi.fn();
    await expect(whileWorking({ working }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(ACK_WAIT_MS);
    expect(working).not.toHaveBeenCalled();
  });

  it('needs no message', async () => {
    await expect(whileWorking(undefined, () => Promise.resolve(1))).resolves.toBe(1);
  });
});
