import { FidelisError } from '@fidelis/contracts';
import { GraphQLError, Source } from 'graphql';
import { describe, expect, it } from 'vitest';
import { formatErrors, statusOf } from './graphql-errors.js';

function format(error: unknown): { errors: ReturnType<typeof formatErrors>; unexpected: unknown[] } {
  const unexpected: unknown[] = [];
  const errors = formatErrors([error], 'c-1', (cause) => unexpected.push(cause));
  return { errors, unexpected };
}

function located(originalError: Error): GraphQLError {
  return new GraphQLError(originalError.message, {
    originalError,
    path: ['run'],
    source: new Source('{ run }'),
    positions: [2],
  });
}

describe('formatErrors', () => {
  it('keeps code, message, retryable and details of a FidelisError, and where it happened', () => {
    const cause = new FidelisError('RUN.NOT_FOUND', 'no run r-1', { details: { id: 'r-1' } });
    expect(format(located(cause))).toEqual({
      errors: [
        {
          message: 'no run r-1',
          path: ['run'],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'RUN.NOT_FOUND', retryable: false, details: { id: 'r-1' } },
        },
      ],
      unexpected: [],
    });
  });

  it('finds a FidelisError below several wrappings', () => {
    const { errors } = format(located(located(new FidelisError('BUS.TIMEOUT', 'late'))));
    expect(errors[0]?.extensions).toEqual({ code: 'BUS.TIMEOUT', retryable: true });
  });

  it('hides a foreign error behind its correlation id and reports it', () => {
    const secret = located(new TypeError('password=hunter2'));
    const { errors, unexpected } = format(secret);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
    expect(errors[0]?.extensions).toEqual({ code: 'INTERNAL', retryable: false });
    expect(errors[0]?.message).toContain('c-1');
    expect(unexpected).toEqual([secret]);
  });

  it("hides another service's INTERNAL, too", () => {
    const { errors, unexpected } = format(
      new FidelisError('INTERNAL', 'syntax error at or near SELECT', { details: { table: 'run' } }),
    );
    expect(JSON.stringify(errors)).not.toContain('SELECT');
    expect(JSON.stringify(errors)).not.toContain('table');
    expect(unexpected).toHaveLength(1);
  });

  it('names what the document did wrong', () => {
    const error = new GraphQLError('Cannot query field "x"', { source: new Source('{ x }'), positions: [2] });
    expect(format(error).errors[0]).toMatchObject({
      message: 'Cannot query field "x"',
      extensions: { code: 'REQUEST.INVALID' },
    });
  });

  it('counts an answer that cannot be serialised as our own fault', () => {
    expect(
      format(located(new GraphQLError('Int cannot represent 1.5'))).errors[0]?.extensions?.['code'],
    ).toBe('INTERNAL');
  });

  it('names the argument that was wrong', () => {
    const argument = new GraphQLError('Argument "id" is missing', {
      source: new Source('{ run }'),
      positions: [2],
    });
    expect(format(located(argument)).errors[0]?.extensions?.['code']).toBe('REQUEST.INVALID');
  });

  it('takes apart what Mercurius wraps', () => {
    const errors = [1, 2].map(
      (i) => new GraphQLError(`problem ${i}`, { source: new Source('{ x }'), positions: [2] }),
    );
    const wrapper = Object.assign(new Error('Graphql validation error'), { statusCode: 400, errors });
    expect(format(located(wrapper)).errors.map(({ message }) => message)).toEqual(['problem 1', 'problem 2']);
  });

  it('says that a document with too many tokens is too complex', () => {
    const error = new GraphQLError(
      'Syntax Error: Document contains more that 2000 tokens. Parsing aborted.',
      {
        source: new Source('{ x }'),
        positions: [2],
      },
    );
    expect(format(error).errors[0]?.extensions?.['code']).toBe('REQUEST.TOO_COMPLEX');
  });

  it('says that a body that is too large is too complex', () => {
    const error = Object.assign(new Error('Request body is too large'), { statusCode: 413 });
    expect(format(error).errors[0]?.extensions?.['code']).toBe('REQUEST.TOO_COMPLEX');
    expect(statusOf(error)).toBe(413);
  });
});

describe('statusOf', () => {
  it.each([
    [new FidelisError('REQUEST.TOO_COMPLEX', 'deep'), 400],
    [new FidelisError('BUS.TIMEOUT', 'late'), 500],
    [new GraphQLError('Syntax Error', { source: new Source('{'), positions: [1] }), 400],
    [new TypeError('bug'), 500],
  ])('of %s is %i', (error, status) => {
    expect(statusOf(error)).toBe(status);
  });
});
