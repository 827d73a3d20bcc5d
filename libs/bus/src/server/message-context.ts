/** What a handler knows of its message beside the payload. */
export interface MessageContext {
  readonly subject: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly correlationId: string;
  /** 1 for the first delivery, and for an rpc. */
  readonly deliveryCount: number;
  /** Of the message in its stream; 0 for an rpc. */
  readonly streamSequence: number;
  /**
   * Grows from job to job and from delivery to delivery of one job: of two owners of a run, the one with the greater token
   * is the newer. A server that was killed may forget its last deliveries and count them again, so a new owner takes the
   * greater of this and one more than the token that it finds. 0 for an rpc.
   */
  readonly fencingToken: number;
  /** Tells the server that the work advances; without it, the message is given to another after ack_wait. No effect on an rpc. */
  working(): void;
  /**
   * Aborts when the process drains: for a job at once, so that another worker can take it over (throw, and it is given back);
   * for everything else when the time to finish is over.
   */
  readonly signal: AbortSignal;
}

const DELIVERIES_PER_MESSAGE = 100_000;

/** Stays exact up to 90 billion messages in the queue's life. */
export function fencingToken(streamSequence: number, deliveryCount: number): number {
  return streamSequence * DELIVERIES_PER_MESSAGE + Math.min(deliveryCount, DELIVERIES_PER_MESSAGE - 1);
}
