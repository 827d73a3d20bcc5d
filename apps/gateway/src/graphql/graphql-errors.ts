import { ERROR_CODES, FidelisError, type ErrorCode } from '@fidelis/contracts';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** What a client sees of an error, and whether the operator has to look at it. */
interface ErrorView {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
  readonly unexpected: boolean;
}

/** Mercurius and Fastify wrap what they refuse: several errors in one, each of them a reason. */
interface WrappedErrors {
  readonly errors: readonly unknown[];
}

const TOKEN_LIMIT = /Document contains more tha[nt] \d+ tokens/;

/**
 * The one mapper of this edge. A FidelisError keeps its code; what the GraphQL or HTTP layer refused is the request's fault;
 * everything else is INTERNAL, and its message stays in the log (`onUnexpected`).
 */
export function formatErrors(
  errors: readonly unknown[],
  correlationId: string,
  onUnexpected: (error: unknown) => void,
): GraphQLFormattedError[] {
  return errors.flatMap(unwrap).map((error) => {
    const { code, message, retryable, details, unexpected } = viewOf(error);
    if (unexpected) onUnexpected(error);
    const located = error instanceof GraphQLError ? error : undefined;
    return {
      message: unexpected
        ? `internal error: the gateway's log has its cause under correlation id ${correlationId}`
        : message,
      ...(located?.locations === undefined ? {} : { locations: located.locations }),
      ...(located?.path === undefined ? {} : { path: located.path }),
      extensions: { code, retryable, ...(Object.keys(details).length > 0 ? { details } : {}) },
    };
  });
}

/** HTTP status of a request that was refused as a whole. */
export function statusOf(error: unknown): number {
  const root = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  const status = statusCodeOf(root);
  if (status !== undefined) return status;
  const { code } = viewOf(root);
  return ERROR_CODES[code].kind === 'bad-input' ? 400 : 500;
}

function unwrap(error: unknown): unknown[] {
  const inner = error instanceof GraphQLError ? error.originalError : error;
  return isWrapped(inner) ? [...inner.errors] : [error];
}

function isWrapped(error: unknown): error is WrappedErrors {
  if (typeof error !== 'object' || error === null || FidelisError.is(error)) return false;
  const { errors } = error as Partial<WrappedErrors>;
  return Array.isArray(errors) && errors.length > 0;
}

function viewOf(error: unknown): ErrorView {
  if (FidelisError.is(error)) {
    const { code, message, retryable, details } = error;
    const unexpected = code === 'INTERNAL';
    return { code, message, retryable, details: unexpected ? {} : details, unexpected };
  }
  if (error instanceof GraphQLError) return viewOfGraphql(error);
  const status = statusCodeOf(error);
  if (status !== undefined && status < 500 && error instanceof Error) {
    return status === 413 ? tooComplex(error.message) : refused(error.message);
  }
  // Of Fastify's validation of the request's body.
  if (error instanceof Error && 'validation' in error) return refused(error.message);
  return internal();
}

/**
 * Of a GraphQLError around something else, that something decides. One of graphql's own is the document's fault unless it
 * came up while fields were resolved (it has a path): then only if it points at a place in the document by itself, as
 * for an argument; what is left is an answer of ours that its type cannot take.
 */
function viewOfGraphql(error: GraphQLError): ErrorView {
  const links: GraphQLError[] = [];
  for (let link: unknown = error; link !== undefined; link = link.originalError) {
    if (!(link instanceof GraphQLError)) return viewOf(link);
    links.push(link);
  }
  if (error.path === undefined) return refused(error.message);
  const atArgument = links.find(({ path, locations }) => path === undefined && locations !== undefined);
  return atArgument === undefined ? internal() : refused(atArgument.message);
}

function refused(message: string): ErrorView {
  if (TOKEN_LIMIT.test(message)) return tooComplex(message);
  return { code: 'REQUEST.INVALID', message, retryable: false, details: {}, unexpected: false };
}

function tooComplex(message: string): ErrorView {
  return { code: 'REQUEST.TOO_COMPLEX', message, retryable: false, details: {}, unexpected: false };
}

function internal(): ErrorView {
  return { code: 'INTERNAL', message: '', retryable: false, details: {}, unexpected: true };
}

function statusCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
