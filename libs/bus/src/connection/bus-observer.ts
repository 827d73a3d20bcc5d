export const MESSAGE_KINDS = ['rpc', 'event', 'job', 'predictions'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What became of one delivery: done, given back to be delivered again, or set aside; for an rpc: an error as the answer. */
export const MESSAGE_OUTCOMES = ['done', 'retried', 'dead', 'error'] as const;
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/** Callbacks for counting; the bus itself knows no metrics library. They must not throw. */
export interface BusObserver {
  messageHandled?(kind: MessageKind, outcome: MessageOutcome, seconds: number): void;
  /** A delivery that was not the message's first. */
  redelivery?(kind: MessageKind): void;
  deadLetter?(kind: MessageKind): void;
  disconnected?(): void;
  reconnected?(): void;
  /** A follower was too slow, or got something that is not its contract, and one message was skipped. */
  followerSkipped?(reason: 'slow' | 'invalid'): void;
}
