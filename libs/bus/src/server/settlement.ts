import { FidelisError } from '@fidelis/contracts';

/** What becomes of a delivery, as a value: acknowledged, given back for another delivery, left to whoever has it now, or set aside with its reason. */
export type Settlement =
  | { readonly action: 'ack' }
  | { readonly action: 'retry'; readonly delayMs: number; readonly error: FidelisError }
  | { readonly action: 'leave'; readonly error: FidelisError }
  | { readonly action: 'dead'; readonly error: FidelisError };

export interface RetryPolicy {
  readonly maxDeliver: number;
  readonly backoffMs: readonly number[];
}

export interface FailedDelivery {
  readonly deliveryCount: number;
  /** The process is about to stop: another one takes over at once. */
  readonly draining: boolean;
}

/**
 * RUN.LEASE_LOST: a newer delivery of the message is in other hands, and any word on this one would be taken for one on that. A retryable FidelisError, and any error that is none (which may be as transient as a lost database connection), is
 * tried again until `maxDeliver`. A final FidelisError, or the last delivery, sets the message aside.
 */
export function settleFailure(thrown: unknown, delivery: FailedDelivery, policy: RetryPolicy): Settlement {
  const error = FidelisError.from(thrown);
  if (error.code === 'RUN.LEASE_LOST') return { action: 'leave', error };
  const retryable = error.retryable || !FidelisError.is(thrown);
  if (!retryable) return { action: 'dead', error };
  if (delivery.draining) return { action: 'retry', delayMs: 0, error };
  if (delivery.deliveryCount >= policy.maxDeliver) return { action: 'dead', error };
  return { action: 'retry', delayMs: backoffMs(delivery.deliveryCount, policy.backoffMs), error };
}

/** @param deliveryCount of the delivery that failed: 1 for the first */
export function backoffMs(deliveryCount: number, waits: readonly number[]): number {
  return waits[Math.min(deliveryCount, waits.length) - 1] ?? 0;
}

/**
 * True for errors that are no fault of the message: something that every message needs is away. The delivery is kept and
 * handled again here, so that an outage neither uses up its deliveries nor fills the dead letters.
 */
export function isPlatformOutage(thrown: unknown): boolean {
  return (
    FidelisError.is(thrown) && (thrown.code === 'DATABASE.UNAVAILABLE' || thrown.code === 'BUS.UNAVAILABLE')
  );
}
