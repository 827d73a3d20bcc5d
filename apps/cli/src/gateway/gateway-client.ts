import { errorWireSchema, FidelisError, parseTolerant } from '@fidelis/contracts';
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import { z } from 'zod';
import type { GatewayDocument } from './documents.js';
import { fromGraphqlErrors, gatewayUnreachable, graphqlErrorSchema } from './gateway-errors.js';

const REQUEST_TIMEOUT_MS = 30_000;
const RECONNECT_MS = 500;

const httpFailureSchema = z.object({ error: errorWireSchema });

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
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<Data<Document>> {
    const timeout = AbortSignal.timeout(timeoutMs);
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

  /**
   * Stores a blob under its sha-256, unless it is there.
   *
   * @throws FidelisError the gateway's; GATEWAY.UNAVAILABLE
   */
  async putArtifact(digest: string, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    const path = `/artifacts/${digest}`;
    const there = await this.http(path, { method: 'HEAD' }, signal);
    if (there.ok) return;
    const headers = { 'content-type': 'application/octet-stream' };
    await this.accepted(await this.http(path, { method: 'PUT', body: bytes, headers }, signal));
  }

  /**
   * What the gateway gives under a path besides GraphQL; the body is read as it is wanted.
   *
   * @throws FidelisError the gateway's; GATEWAY.UNAVAILABLE
   */
  async download(path: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.accepted(await this.http(path, {}, signal));
    if (response.body === null) throw new FidelisError('INTERNAL', `${this.url.origin}${path} has no body`);
    return response.body;
  }

  private async http(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const url = new URL(path, this.url);
    try {
      return await fetch(url, signal === undefined ? init : { ...init, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw gatewayUnreachable(url, error);
    }
  }

  private async accepted(response: Response): Promise<Response> {
    if (response.ok) return response;
    const failure = httpFailureSchema.safeParse(await response.json().catch(() => undefined));
    if (failure.success) throw FidelisError.fromWire(failure.data.error);
    throw new FidelisError('INTERNAL', `${response.url} answered with status ${response.status}`);
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
