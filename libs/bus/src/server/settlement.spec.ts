import { FidelisError } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { settleFailure } from './settlement.js';

const policy = { maxDeliver: 3, backoffMs: [100, 500] };
const settle = (thrown: unknown, deliveryCount = 1, draining = false): unknown =>
  settleFailure(thrown, { deliveryCount, draining }, policy);

describe('a failed delivery', () => {
  it('is tried again after growing waits where it can succeed later, also for errors of others', () => {
    const stalled = new FidelisError('STREAM.STALLED', 'no frames');
    expect(settle(stalled, 1)).toMatchObject({ action: 'retry', delayMs: 100 });
    expect(settle(new TypeError('x is undefined'), 2)).toMatchObject({ action: 'retry', delayMs: 500 });
  });

  it('is set aside where it cannot, or at its last try', () => {
    expect(settle(new FidelisError('FRAME.INVALID', 'no frame'))).toMatchObject({ action: 'dead' });
    expect(settle(new FidelisError('STREAM.STALLED', 'no frames'), 3)).toMatchObject({ action: 'dead' });
  });

  it('goes to another process at once when this one stops, also at its last try', () => {
    const error = new FidelisError('BUS.UNAVAILABLE', 'stopping');
    expect(settle(error, 3, true)).toMatchObject({ action: 'retry', delayMs: 0 });
  });

  it('is left alone where another one has the message by now', () => {
    const lost = new FidelisError('RUN.LEASE_LOST', 'taken over');
    for (const count of [1, 3, 4]) expect(settle(lost, count)).toMatchObject({ action: 'leave' });
    expect(settle(lost, 1, true)).toMatchObject({ action: 'leave' });
  });
});
