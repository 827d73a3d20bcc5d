import { AsyncLocalStorage } from 'node:async_hooks';
import type { LoggerService } from '@nestjs/common';
import { FidelisError } from '@fidelis/contracts';
import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields that every line written inside of runInContext has. */
export interface LogContext {
  readonly correlationId?: string;
  readonly runId?: string;
}

const context = new AsyncLocalStorage<LogContext>();

export function runInContext<Result>(fields: LogContext, work: () => Result): Result {
  return context.run({ ...context.getStore(), ...fields }, work);
}

export function currentCorrelationId(): string | undefined {
  return context.getStore()?.correlationId;
}

/** JSON lines on standard output. */
export function createLogger(options: { service: string; level: LogLevel; instance?: string }): Logger {
  return pino({
    level: options.level,
    base: {
      service: options.service,
      ...(options.instance === undefined ? {} : { instance: options.instance }),
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => context.getStore() ?? {},
    serializers: { err: serializeError, error: serializeError },
  });
}

function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const plain = { type: error.name, message: error.message, stack: error.stack };
  const withCause = error.cause === undefined ? plain : { ...plain, cause: serializeError(error.cause) };
  return FidelisError.is(error) ? { ...withCause, code: error.code, details: error.details } : withCause;
}

/** Nest's own lines through the same logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    // Nest tells of each route and module at start: interesting only when something is wrong there.
    this.write('debug', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: LogLevel, message: unknown, rest: unknown[]): void {
    const nest = rest.filter((part) => typeof part === 'string' && part !== '').join(' ');
    if (message instanceof Error) this.logger[level]({ nest, err: message }, message.message);
    else this.logger[level]({ nest }, typeof message === 'string' ? message : JSON.stringify(message));
  }
}
