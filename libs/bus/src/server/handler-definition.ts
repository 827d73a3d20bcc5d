import type { EventContract, JobContract, RpcContract, Placement } from '@fidelis/contracts';

export interface DurableOptions {
  /** Instances with one name share the messages; the consumer on the server is named after it and the event. Letters, digits, "_" and "-". */
  readonly durable: string;
  /** Messages that one process handles at a time. @default 1 */
  readonly concurrency?: number | undefined;
  /** A message that is neither settled nor worked on for this long goes to another. @default 15,000 for jobs, 30,000 else */
  readonly ackWaitMs?: number | undefined;
  /** Deliveries before a message is set aside. @default 5 for events, 20 for predictions, without limit for jobs */
  readonly maxDeliver?: number | undefined;
  /** Waits before the second, third … delivery; the last one repeats. @default [1,000, 5,000, 30,000] */
  readonly backoffMs?: readonly number[] | undefined;
}

export interface JobOptions extends DurableOptions {
  /** @default the strategy's: what the process was configured for */
  readonly placement?: Placement | undefined;
}

export type HandlerDefinition =
  | { readonly kind: 'rpc'; readonly contract: RpcContract }
  | { readonly kind: 'event'; readonly contract: EventContract; readonly options: DurableOptions }
  | { readonly kind: 'job'; readonly contract: JobContract; readonly options: JobOptions }
  | { readonly kind: 'predictions'; readonly options: DurableOptions };

/** Key of the definition among the extras that Nest keeps for a handler. */
export const HANDLER_EXTRA = 'fidelis';

/** Nest's name of the handler: unique in a process. */
export function patternOf(definition: HandlerDefinition): string {
  switch (definition.kind) {
    case 'rpc':
      return definition.contract.subject;
    case 'event':
    case 'job':
      return `${definition.contract.subject}#${definition.options.durable}`;
    case 'predictions':
      return `predictions#${definition.options.durable}`;
  }
}
