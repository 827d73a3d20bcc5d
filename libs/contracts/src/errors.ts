import { z } from 'zod';

/**
 * Every error code of the platform. The code is the identity of an error on the wire and for people:
 * codes are never renamed and never reused. `retryable` says whether the same request can succeed later
 * without anybody changing anything.
 */
export const ERROR_CODES = {
  'SPEC.INVALID': { retryable: false, kind: 'bad-input' },
  'SPEC.NOT_YAML': { retryable: false, kind: 'bad-input' },
  'SPEC.UNREADABLE': { retryable: false, kind: 'bad-input' },
  'REQUEST.INVALID': { retryable: false, kind: 'bad-input' },
  'REQUEST.TOO_COMPLEX': { retryable: false, kind: 'bad-input' },
  'DATASET.UNKNOWN': { retryable: false, kind: 'bad-input' },
  'DATASET.CORRUPT': { retryable: false, kind: 'failure' },
  'DATASET.MISMATCH': { retryable: false, kind: 'failure' },
  'MODEL.UNKNOWN': { retryable: false, kind: 'bad-input' },
  'MODEL.MISMATCH': { retryable: false, kind: 'bad-input' },
  'WEIGHTS.INVALID': { retryable: false, kind: 'failure' },
  'TEACHER.NOT_FOUND': { retryable: false, kind: 'bad-input' },
  'TEACHER.NOT_READY': { retryable: true, kind: 'failure' },
  'TEACHER.FAILED': { retryable: false, kind: 'failure' },
  'TEACHER.CANARY': { retryable: false, kind: 'failure' },
  'RUN.NOT_FOUND': { retryable: false, kind: 'bad-input' },
  'RUN.ALREADY_ENDED': { retryable: false, kind: 'bad-input' },
  'RUN.NOT_ENDED': { retryable: false, kind: 'bad-input' },
  'RUN.CANCELLED': { retryable: false, kind: 'failure' },
  'RUN.LEASE_LOST': { retryable: false, kind: 'failure' },
  'EVALUATION.NOT_FOUND': { retryable: false, kind: 'bad-input' },
  'EVALUATION.INTERRUPTED': { retryable: false, kind: 'failure' },
  'STREAM.NOT_FOUND': { retryable: false, kind: 'bad-input' },
  'STREAM.MISALIGNED': { retryable: false, kind: 'failure' },
  'STREAM.QUOTA': { retryable: true, kind: 'failure' },
  'STREAM.GAP': { retryable: true, kind: 'failure' },
  'STREAM.GONE': { retryable: false, kind: 'failure' },
  'STREAM.EXPIRED': { retryable: false, kind: 'bad-input' },
  'STREAM.IN_USE': { retryable: false, kind: 'bad-input' },
  'STREAM.PRODUCER_CHANGED': { retryable: false, kind: 'failure' },
  'STREAM.STALLED': { retryable: true, kind: 'failure' },
  'FRAME.INVALID': { retryable: false, kind: 'failure' },
  'FRAME.FOREIGN': { retryable: false, kind: 'failure' },
  'TRAINING.DIVERGED': { retryable: false, kind: 'failure' },
  'TRAINING.PRODUCER_CHANGED': { retryable: false, kind: 'failure' },
  'TRAINING.CHILD_EXITED': { retryable: true, kind: 'failure' },
  'TRAINING.ATTEMPTS_EXHAUSTED': { retryable: false, kind: 'failure' },
  'COMPUTE.UNAVAILABLE': { retryable: false, kind: 'failure' },
  'DEADLETTER.NOT_FOUND': { retryable: false, kind: 'bad-input' },
  'GATEWAY.UNAVAILABLE': { retryable: true, kind: 'failure' },
  'BUS.UNAVAILABLE': { retryable: true, kind: 'failure' },
  'BUS.TIMEOUT': { retryable: true, kind: 'failure' },
  'BUS.STREAM_CONFLICT': { retryable: false, kind: 'failure' },
  'ARTIFACT.NOT_FOUND': { retryable: false, kind: 'failure' },
  'ARTIFACT.CORRUPT': { retryable: false, kind: 'failure' },
  'ARCHIVE.INVALID': { retryable: false, kind: 'bad-input' },
  'ARCHIVE.MISMATCH': { retryable: false, kind: 'bad-input' },
  'ARCHIVE.UNSUPPORTED': { retryable: false, kind: 'bad-input' },
  'DATABASE.UNAVAILABLE': { retryable: true, kind: 'failure' },
  'STORAGE.UNWRITABLE': { retryable: false, kind: 'failure' },
  'PORT.IN_USE': { retryable: false, kind: 'failure' },
  'SETUP.MISSING': { retryable: false, kind: 'failure' },
  'STACK.ALREADY_RUNNING': { retryable: false, kind: 'failure' },
  'STACK.SERVICE_FAILED': { retryable: false, kind: 'failure' },
  'CONFIG.INVALID': { retryable: false, kind: 'bad-input' },
  INTERNAL: { retryable: false, kind: 'failure' },
} as const satisfies Record<string, { retryable: boolean; kind: 'bad-input' | 'failure' }>;

export type ErrorCode = keyof typeof ERROR_CODES;

const errorCodeNames = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];

export const errorWireSchema = z.object({
  code: z.enum(errorCodeNames).catch('INTERNAL'),
  message: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** What of an error crosses a process border. The cause stays at home, in the log of the process that saw it. */
export type ErrorWire = z.infer<typeof errorWireSchema>;

export interface FidelisErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** @default what ERROR_CODES says of the code */
  readonly retryable?: boolean;
}

const FIDELIS_ERROR = Symbol.for('fidelis.error');

/** The only error type that crosses the platform's edges. The message tells a person what to do next. */
export class FidelisError extends Error {
  readonly [FIDELIS_ERROR] = true;
  override readonly name = 'FidelisError';
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: FidelisErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.details = options.details ?? {};
  }

  /** Like instanceof, and true across two copies of this package in one process. */
  static is(error: unknown): error is FidelisError {
    return typeof error === 'object' && error !== null && FIDELIS_ERROR in error;
  }

  /** Any thrown value as a FidelisError; a foreign one becomes INTERNAL with the original as its cause. */
  static from(error: unknown): FidelisError {
    if (FidelisError.is(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new FidelisError('INTERNAL', message, { cause: error });
  }

  toWire(): ErrorWire {
    const wire: ErrorWire = { code: this.code, message: this.message, retryable: this.retryable };
    if (Object.keys(this.details).length > 0) wire.details = { ...this.details };
    return wire;
  }

  static fromWire(wire: ErrorWire): FidelisError {
    return new FidelisError(wire.code, wire.message, {
      retryable: wire.retryable,
      ...(wire.details === undefined ? {} : { details: wire.details }),
    });
  }
}

/** True where the person who asked has to change the request; false where the platform failed. */
export function isBadInput(code: ErrorCode): boolean {
  return ERROR_CODES[code].kind === 'bad-input';
}
