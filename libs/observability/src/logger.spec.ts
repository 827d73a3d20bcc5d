import { FidelisError } from '@fidelis/contracts';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createLogger,
  currentCorrelationId,
  NestLogger,
  runInContext,
  type Logger,
  type LogLevel,
} from './logger.js';

let lines: Record<string, unknown>[];

/** The service's logger, with its lines kept here instead of written to standard output. */
function testLogger(level: LogLevel = 'trace'): Logger {
  const logger = createLogger({ service: 'student-svc', level, instance: 'worker-1' });
  Object.assign(logger, {
    [pino.symbols.streamSym]: {
      write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>),
    },
  });
  return logger;
}

beforeEach(() => {
  lines = [];
});

describe('createLogger', () => {
  it('writes one JSON object a line: time, level as a word, service, instance, message, fields', () => {
    testLogger().info({ step: 3 }, 'trained');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
        service: 'student-svc',
        instance: 'worker-1',
        step: 3,
        msg: 'trained',
      },
    ]);
  });

  it('leaves out what is below its level', () => {
    const logger = testLogger('warn');
    logger.info('quiet');
    logger.warn('loud');
    expect(lines.map(({ msg }) => msg)).toEqual(['loud']);
  });

  it('says of an error its code, details, stack and causes', () => {
    const cause = new Error('connection refused');
    const error = new FidelisError('DATABASE.UNAVAILABLE', 'away', { cause, details: { host: 'db' } });
    testLogger().error({ err: error }, 'failed');
    expect(lines[0]).toMatchObject({
      err: {
        type: 'FidelisError',
        code: 'DATABASE.UNAVAILABLE',
        message: 'away',
        details: { host: 'db' },
        stack: expect.stringContaining('logger.spec') as unknown,
        cause: { type: 'Error', message: 'connection refused' },
      },
    });
  });

  it('takes a thrown value that is no error', () => {
    testLogger().error({ err: 'text' }, 'failed');
    expect(lines[0]).toMatchObject({ err: { message: 'text' } });
  });
});

describe('runInContext', () => {
  it('puts run and correlation id into every line within, across awaits, and into none outside', async () => {
    const logger = testLogger();
    await runInContext({ correlationId: 'c-1' }, async () => {
      await Promise.resolve();
      logger.info('outer');
      await runInContext({ runId: 'r-1' }, async () => {
        await Promise.resolve();
        logger.info('inner');
      });
      logger.info('outer again');
      expect(currentCorrelationId()).toBe('c-1');
    });
    logger.info('outside');
    expect(lines.map(({ msg, correlationId, runId }) => [msg, correlationId, runId])).toEqual([
      ['outer', 'c-1', undefined],
      ['inner', 'c-1', 'r-1'],
      ['outer again', 'c-1', undefined],
      ['outside', undefined, undefined],
    ]);
    expect(currentCorrelationId()).toBeUndefined();
  });

  it('keeps the fields of two works at a time apart', async () => {
    const logger = testLogger();
    const work = (runId: string): Promise<void> =>
      runInContext({ runId }, async () => {
        await new Promise(setImmediate);
        logger.info(runId);
      });
    await Promise.all([work('r-1'), work('r-2'), work('r-3')]);
    expect(lines.every(({ msg, runId }) => msg === runId)).toBe(true);
    expect(lines).toHaveLength(3);
  });
});

describe('NestLogger', () => {
  it("writes Nest's lines through the service's logger, its chatter at debug", () => {
    const nest = new NestLogger(testLogger());
    nest.log('mapped a route', 'RouterExplorer');
    nest.error(new Error('broken'), 'ExceptionsHandler');
    nest.warn({ odd: true });
    expect(lines).toMatchObject([
      { level: 'debug', msg: 'mapped a route', nest: 'RouterExplorer' },
      { level: 'error', msg: 'broken', err: { message: 'broken' } },
      { level: 'warn', msg: '{"odd":true}' },
    ]);
  });
});
