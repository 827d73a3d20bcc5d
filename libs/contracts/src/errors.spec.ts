import { describe, expect, it, vi } from 'vitest';
import { ERROR_CODES, errorWireSchema, FidelisError, isBadInput, type ErrorCode } from './errors.js';

describe('FidelisError', () => {
  it('takes from its code whether the request can be repeated, unless it is told', () => {
    expect(new FidelisError('BUS.TIMEOUT', 'no answer').retryable).toBe(true);
    expect(new FidelisError('SPEC.INVALID', 'epochs').retryable).toBe(false);
    expect(new FidelisError('SPEC.INVALID', 'epochs', { retryable: true }).retryable).toBe(true);
  });

  it('crosses a process border with code, message, details and retryability', () => {
    const sent = new FidelisError('STREAM.MISALIGNED', 'digests differ', {
      details: { step: 3, expected: 'aa', actual: 'bb' },
      retryable: true,
    });
    const received = FidelisError.fromWire(errorWireSchema.parse(JSON.parse(JSON.stringify(sent.toWire()))));
    expect(received).toMatchObject({
      code: 'STREAM.MISALIGNED',
      message: 'digests differ',
      retryable: true,
      details: { step: 3, expected: 'aa', actual: 'bb' },
    });
  });

  it('keeps the cause at home', () => {
    const cause = new Error('password=secret');
    const error = new FidelisError('DATABASE.UNAVAILABLE', 'away', { cause });
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error.toWire())).not.toContain('secret');
  });

  it('has no details on the wire where there are none', () => {
    expect(new FidelisError('INTERNAL', 'oops').toWire()).toEqual({
      code: 'INTERNAL',
      message: 'oops',
      retryable: false,
    });
  });

  it('reads a code of a newer version as INTERNAL', () => {
    const wire = errorWireSchema.parse({ code: 'FUTURE.CODE', message: 'm', retryable: false });
    expect(wire.code).toBe('INTERNAL');
  });

  it('is known across two copies of the package', async () => {
    vi.resetModules();
    const copy = await import('./errors.js');
    const foreign = new copy.FidelisError('RUN.NOT_FOUND', 'no run');
    expect(copy.FidelisError).not.toBe(FidelisError);
    expect(foreign).not.toBeInstanceOf(FidelisError);
    expect(FidelisError.is(foreign)).toBe(true);
    expect(FidelisError.from(foreign)).toBe(foreign);
  });

  it.each([new Error('x'), null, undefined, 'text', {}])('is not what %s is', (value) => {
    expect(FidelisError.is(value)).toBe(false);
  });

  it('makes INTERNAL of any other thrown value and keeps it as the cause', () => {
    const thrown = new TypeError('x is not a function');
    expect(FidelisError.from(thrown)).toMatchObject({
      code: 'INTERNAL',
      message: 'x is not a function',
      cause: thrown,
    });
    expect(FidelisError.from('plain text').message).toBe('plain text');
  });
});

describe('ERROR_CODES', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];

  it('are upper case, as AREA.WHAT', () => {
    for (const code of codes) expect(code).toMatch(/^(INTERNAL|[A-Z]+\.[A-Z_]+)$/);
  });

  it('never ask a person to repeat what the person has to change', () => {
    for (const code of codes) {
      if (isBadInput(code)) expect(ERROR_CODES[code].retryable, code).toBe(false);
    }
  });
});
