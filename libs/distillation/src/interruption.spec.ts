import { FidelisError } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { Interruption } from './interruption.js';

const never = (): Promise<never> => new Promise<never>(() => undefined);

describe('an interruption', () => {
  it('ends the wait under way, and whatever comes after it', async () => {
    const stop = new AbortController();
    const sut = new Interruption(stop.signal);
    expect(await sut.wait(Promise.resolve(1))).toBe(1);
    const waiting = sut.wait(never());
    sut.throwIfInterrupted();
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'RUN.CANCELLED' });
    expect(() => sut.throwIfInterrupted()).toThrow('the training was asked to stop');
  });

  it('has the reason of its signal where that says what to do', async () => {
    const stop = new AbortController();
    const sut = new Interruption(stop.signal);
    const waiting = sut.wait(never());
    stop.abort(new FidelisError('RUN.LEASE_LOST', 'another worker has it'));
    await expect(waiting).rejects.toMatchObject({ code: 'RUN.LEASE_LOST' });
  });

  it('passes on what a wait fails with, also without a signal', async () => {
    const failure = new Error('no frames');
    const { signal } = new AbortController();
    await expect(new Interruption(signal).wait(Promise.reject(failure))).rejects.toBe(failure);
    await expect(new Interruption(undefined).wait(Promise.reject(failure))).rejects.toBe(failure);
  });

  it('is deaf once it is disposed of', async () => {
    const stop = new AbortController();
    const sut = new Interruption(stop.signal);
    let ended = false;
    void sut.wait(never()).finally(() => (ended = true));
    sut.dispose();
    stop.abort();
    await new Promise(setImmediate);
    expect(ended).toBe(false);
  });
});
