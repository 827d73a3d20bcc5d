import { z } from 'zod';
import { FidelisError, type ErrorCode } from './errors.js';

/** Version of the platform, equal to every package's. */
export const PLATFORM_VERSION = '0.1.0';

/** First tokens of every subject: the platform and the major version of its contracts. */
export const SUBJECT_ROOT = 'fidelis.v1';

export interface RpcContract<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  readonly kind: 'rpc';
  readonly subject: string;
  readonly version: 1;
  readonly request: Request;
  readonly response: Response;
  /** How long a caller waits. */
  readonly timeoutMs: number;
}

export interface EventContract<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'event';
  /** Without its last token, which is the id of what the event is about. */
  readonly subject: string;
  readonly version: 1;
  readonly schema: Schema;
}

export interface JobContract<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'job';
  /** Without its last tokens: placement and id. */
  readonly subject: string;
  readonly version: 1;
  readonly schema: Schema;
}

/** What a handler of the contract gets. */
export type RpcRequest<Contract extends RpcContract> = z.output<Contract['request']>;
/** What a handler of the contract gives back. */
export type RpcResponse<Contract extends RpcContract> = z.input<Contract['response']>;
export type EventPayload<Contract extends EventContract> = z.output<Contract['schema']>;

export function defineRpc<Request extends z.ZodType, Response extends z.ZodType>(
  method: `${string}.${string}`,
  request: Request,
  response: Response,
  timeoutMs = 5_000,
): RpcContract<Request, Response> {
  return { kind: 'rpc', subject: `${SUBJECT_ROOT}.rpc.${method}`, version: 1, request, response, timeoutMs };
}

export function defineEvent<Schema extends z.ZodType>(what: string, schema: Schema): EventContract<Schema> {
  return { kind: 'event', subject: `${SUBJECT_ROOT}.events.${what}`, version: 1, schema };
}

export function defineJob<Schema extends z.ZodType>(what: string, schema: Schema): JobContract<Schema> {
  return { kind: 'job', subject: `${SUBJECT_ROOT}.jobs.${what}`, version: 1, schema };
}

const SUBJECT_TOKEN = /^[A-Za-z0-9_-]+$/;

/** One token of a subject: what is put between two dots. A dot, a space or a wildcard would address something else. */
export function subjectToken(value: string): string {
  if (!SUBJECT_TOKEN.test(value)) {
    throw new FidelisError(
      'REQUEST.INVALID',
      `"${value}" cannot be part of a subject: use letters, digits, "_" and "-"`,
    );
  }
  return value;
}

export function eventSubject(contract: EventContract, id: string): string {
  return `${contract.subject}.${subjectToken(id)}`;
}

export function jobSubject(contract: JobContract, placement: 'cpu' | 'gpu', id: string): string {
  return `${contract.subject}.${placement}.${subjectToken(id)}`;
}

export interface FieldIssue {
  /** Path of the field, as in `student.loss.temperature`; empty for the document itself. */
  readonly field: string;
  readonly problem: string;
}

/** zod's issues as (field, problem), with the unknown keys named one by one. */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
  return error.issues.flatMap((issue): FieldIssue[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: [...path, key].join('.'), problem: 'unknown field' }));
    }
    return [{ field: path.join('.'), problem: issue.message }];
  });
}

/**
 * Holds a producer or a person to the schema: an unknown field is an error that names it
 * (object schemas of contracts are strict).
 *
 * @throws FidelisError with `code` and `details.issues`, one per field
 */
export function parseStrict<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ErrorCode = 'REQUEST.INVALID',
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidFields(fieldIssues(result.error), code);
}

/** What is wrong with each field, in the message for people and in `details.issues` for programs. */
export function invalidFields(issues: readonly FieldIssue[], code: ErrorCode): FidelisError {
  const text = issues.map(({ field, problem }) => `${field || '(document)'}: ${problem}`).join('; ');
  return new FidelisError(code, text, { details: { issues } });
}

/**
 * Reads what another service sent: unknown fields are ignored, so that a newer producer of the same major
 * version does not break an older consumer. Everything else is held to the schema.
 *
 * @throws FidelisError REQUEST.INVALID
 */
export function parseTolerant<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  let candidate = value;
  // A strict schema names every unknown key, at any depth; without them the rest must pass. Each round
  // removes at least one key, so this ends.
  for (;;) {
    const result = schema.safeParse(candidate);
    if (result.success) return result.data;
    const unknown = result.error.issues.filter((issue) => issue.code === 'unrecognized_keys');
    if (unknown.length === 0 || unknown.length < result.error.issues.length) {
      return parseStrict(schema, candidate);
    }
    candidate = structuredClone(candidate);
    for (const issue of unknown) removeKeys(candidate, issue.path, issue.keys);
  }
}

function removeKeys(root: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let holder = root;
  for (const step of path) holder = (holder as Record<PropertyKey, unknown>)[step];
  for (const key of keys) delete (holder as Record<string, unknown>)[key];
}
