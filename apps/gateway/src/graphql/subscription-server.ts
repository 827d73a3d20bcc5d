import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { FidelisError } from '@fidelis/contracts';
import { LOGGER, type Logger } from '@fidelis/observability';
import { GraphQLError, parse, validate, type ExecutionArgs, type GraphQLSchema } from 'graphql';
import {
  CloseCode,
  handleProtocols,
  makeServer,
  type Context,
  type Server,
  type SubscribePayload,
} from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { PlatformClient } from '../lookups/platform-client.js';
import { assertDocumentWithinLimits, assertTextWithinLimits, DOCUMENT_LIMITS } from './document-limits.js';
import { ErrorReporter } from './error-reporter.js';
import { GRAPHQL_PATH } from './graphql-options.js';
import { correlationIdOf, requestContext } from './request-context.js';
import { isSameOrigin } from './same-origin.js';

const MAX_MESSAGE_BYTES = 262_144;
const MAX_OPERATIONS_PER_SOCKET = 100;
/** A client that does not answer a ping for this long is gone. */
const PING_MS = 12_000;
/** Status of a WebSocket whose server stops. */
const GOING_AWAY = 1001;
/** For clients to answer to the end of their socket. */
const CLOSE_GRACE_MS = 2_000;

interface Connection {
  readonly correlationId: string;
}

type Operation = Context<undefined, Connection>;

/**
 * GraphQL over WebSocket (graphql-transport-ws), on the same port and path as HTTP. Not Mercurius's own: that one executes
 * documents without validating them and sends errors past the error formatter.
 *
 * Back-pressure: the next state of a subscription is taken only when the socket has taken the one before.
 */
@Injectable()
export class SubscriptionServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols,
  });

  constructor(
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(GraphQLSchemaHost) private readonly schemas: GraphQLSchemaHost,
    @Inject(PlatformClient) private readonly platform: PlatformClient,
    @Inject(ErrorReporter) private readonly reporter: ErrorReporter,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const protocol = this.createProtocol(this.schemas.schema);
    const server = this.http.httpAdapter.getHttpServer() as NodeJS.EventEmitter;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal = refusalOf(request);
      if (refusal !== undefined) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.open(protocol, webSocket, correlationIdOf(request.headers));
      });
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { clients } = this.sockets;
    for (const socket of clients) socket.close(GOING_AWAY, 'Going away');
    const impatience = setTimeout(() => {
      for (const socket of clients) socket.terminate();
    }, CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => {
      this.sockets.close(() => resolve());
    });
    clearTimeout(impatience);
  }

  private open(protocol: Server<Connection>, socket: WebSocket, correlationId: string): void {
    const stopPings = keepAlive(socket);
    // Also for what the protocol cannot do anything about, like a message that is too long: ws closes the socket itself.
    socket.on('error', (err) => this.logger.debug({ correlationId, err }, 'WebSocket failed'));
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (data: Buffer) => {
            handle(data.toString()).catch((err: unknown) => {
              this.logger.error({ correlationId, err }, 'a WebSocket message failed unexpectedly');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          });
        },
      },
      { correlationId },
    );
    socket.once('close', (code, reason) => {
      stopPings();
      closed(code, reason.toString()).catch((err: unknown) => {
        this.logger.error({ correlationId, err }, 'closing a WebSocket failed');
      });
    });
  }

  private createProtocol(schema: GraphQLSchema): Server<Connection> {
    return makeServer<undefined, Connection>({
      onSubscribe: (operation, _id, payload) => {
        try {
          return this.prepare(schema, operation, payload);
        } catch (error) {
          return [wrapped(error)];
        }
      },
      onNext: ({ extra }, _id, _payload, _args, { data, errors }) =>
        errors === undefined
          ? undefined
          : { data: data ?? null, errors: this.reporter.format(errors, extra.correlationId) },
      onError: ({ extra }, _id, _payload, errors) => this.reporter.format(errors, extra.correlationId),
    });
  }

  /** @throws FidelisError REQUEST.TOO_COMPLEX; GraphQLError where the document is none */
  private prepare(
    schema: GraphQLSchema,
    { subscriptions, extra }: Operation,
    { query, variables, operationName }: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    if (Object.keys(subscriptions).length > MAX_OPERATIONS_PER_SOCKET) {
      throw new FidelisError(
        'REQUEST.TOO_COMPLEX',
        `a WebSocket carries at most ${MAX_OPERATIONS_PER_SOCKET} operations at a time: open another`,
      );
    }
    assertTextWithinLimits(query);
    const document = parse(query, { maxTokens: DOCUMENT_LIMITS.tokens });
    assertDocumentWithinLimits(document);
    const errors = validate(schema, document);
    if (errors.length > 0) return errors;
    return {
      schema,
      document,
      variableValues: variables,
      operationName,
      contextValue: requestContext(this.platform, extra.correlationId),
    };
  }
}

function refusalOf(request: IncomingMessage): string | undefined {
  const path = request.url?.split('?', 1)[0];
  if (path !== GRAPHQL_PATH) return '404 Not Found';
  // Browsers do not hold WebSockets to the same-origin policy: a page from elsewhere is refused here.
  return isSameOrigin(request.headers) ? undefined : '403 Forbidden';
}

function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) resolve();
    // An error here means that the socket is gone; its close event ends the operations.
    else socket.send(data, () => resolve());
  });
}

function keepAlive(socket: WebSocket): () => void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) {
      socket.terminate();
      return;
    }
    answered = false;
    socket.ping();
  }, PING_MS);
  return () => clearInterval(timer);
}

function wrapped(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}
