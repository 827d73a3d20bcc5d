import { FidelisError, parseTolerant } from '@fidelis/contracts';
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import { z } from 'zod';
import type { GatewayDocument } from './documents.js';
import { fromGraphqlErrors, gatewayUnreachable, graphqlErrorSchema } from './gateway-errors.js';

const REQUEST_TIMEOUT_MS = 30_000;
const RECONNECT_MS = 500;

const answerSchema = z.looseObject({
  data: z.unknown().optional(),
  errors: z.array(graphqlErrorSchema).optional(),
});

type Variables = Readonly<Record<string, unknown>>;
type Data<Document extends GatewayDocument> = z.output<Document['data']>;

export interface SubscriptionHandlers<Value> {
  readonly next: (value: Value) => void;
  /** The gateway refused or ended it with an error. */
  readonly error: (error: FidelisError) => void;
}

/** Queries over HTTP, subscriptions over one WebSocket that reconnects for as long as somebody listens. */
export class GatewayClient {
  readonly url: URL;
  private socket: Client | undefined;

  /** @param base the gateway's address, with or without `/graphql` */
  constructor(base: string) {
    this.url = new URL(base);
    if (this.url.pathname === '/') this.url.pathname = '/graphql';
  }

  /**
   * @throws FidelisError the service's own; GATEWAY.UNAVAILABLE if nothing answers
   * @throws the signal's reason once it is aborted
   */
  async request<Document extends GatewayDocument>(
    document: Document,
    variables: Variables,
    signal?: AbortSignal,
  ): Promise<Data<Document>> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    let body: unknown;
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query: document.text, variables }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      body = await response.json();
    } catch (error) {
      signal?.throwIfAborted();
      throw gatewayUnreachable(this.url, error);
    }
    return this.dataOf(document, body);
  }

  /** @returns ends the subscription */
  subscribe<Document extends GatewayDocument>(
    document: Document,
    variables: Variables,
    handlers: SubscriptionHandlers<Data<Document>>,
  ): () => void {
    return this.connection().subscribe<unknown>(
      { query: document.text, variables: { ...variables } },
      {
        next: (answer) => {
          try {
            handlers.next(this.dataOf(document, answer));
          } catch (error) {
            handlers.error(FidelisError.from(error));
          }
        },
        error: (error) => handlers.error(this.subscriptionError(error)),
        complete: () => undefined,
      },
    );
  }

  async close(): Promise<void> {
    const { socket } = this;
    this.socket = undefined;
    try {
      await socket?.dispose();
    } catch {
      // It was still connecting, to what is not there: nothing is open.
    }
  }

  private connection(): Client {
    const url = new URL(this.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket ??= createClient({
      url: url.href,
      webSocketImpl: WebSocket,
      lazyCloseTimeout: 0,
      // A gateway that is started again is back in a moment; who listens decides when to give up.
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, RECONNECT_MS).unref()),
    });
    return this.socket;
  }

  private dataOf<Document extends GatewayDocument>(document: Document, body: unknown): Data<Document> {
    const answer = answerSchema.safeParse(body);
    if (!answer.success) throw new FidelisError('INTERNAL', `${this.url.href} is not a Fidelis gateway`);
    const { data, errors } = answer.data;
    if (errors !== undefined && errors.length > 0) throw fromGraphqlErrors(errors);
    return parseTolerant(document.data, data) as Data<Document>;
  }

  private subscriptionError(error: unknown): FidelisError {
    const errors = z.array(graphqlErrorSchema).min(1).safeParse(error);
    return errors.success ? fromGraphqlErrors(errors.data) : gatewayUnreachable(this.url, error);
  }
}
