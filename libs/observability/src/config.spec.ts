import { FidelisError } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commonConfig, computeConfig, databaseConfig, loadConfig } from './config.js';

const schema = z.object({ ...commonConfig, ...databaseConfig, ...computeConfig });
const given = {
  FIDELIS_NATS_URL: 'nats://127.0.0.1:4222',
  FIDELIS_DATABASE_URL: 'postgres://fidelis@127.0.0.1/fidelis',
};

function problemsOf(environment: Record<string, string | undefined>): string {
  try {
    loadConfig(schema, environment);
  } catch (error) {
    if (FidelisError.is(error) && error.code === 'CONFIG.INVALID') return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('loadConfig', () => {
  it('completes the least configuration', () => {
    expect(loadConfig(schema, given)).toEqual({
      ...given,
      FIDELIS_HTTP_HOST: '127.0.0.1',
      FIDELIS_HTTP_PORT: 0,
      FIDELIS_LOG_LEVEL: 'info',
      FIDELIS_INSTANCE: `pid-${process.pid}`,
      FIDELIS_BACKEND: 'auto',
      FIDELIS_CHILD_SILENCE_SECONDS: 120,
      FIDELIS_THREADS: 1,
      FIDELIS_EAGER: false,
      FIDELIS_GRAPHS_DIR: expect.stringContaining('fidelis-graphs-') as string,
    });
  });

  it('reads numbers', () => {
    const config = loadConfig(schema, { ...given, FIDELIS_HTTP_PORT: '8080', FIDELIS_THREADS: '4' });
    expect(config).toMatchObject({ FIDELIS_HTTP_PORT: 8080, FIDELIS_THREADS: 4 });
  });

  it('takes an empty variable as one that is not set', () => {
    expect(loadConfig(schema, { ...given, FIDELIS_LOG_LEVEL: '' }).FIDELIS_LOG_LEVEL).toBe('info');
    expect(problemsOf({ ...given, FIDELIS_NATS_URL: '' })).toContain('FIDELIS_NATS_URL');
  });

  it('names every variable that is wrong, in one error', () => {
    const message = problemsOf({
      FIDELIS_NATS_URL: 'http://127.0.0.1',
      FIDELIS_HTTP_PORT: '70000',
      FIDELIS_THREADS: '0',
      FIDELIS_LOG_LEVEL: 'loud',
    });
    for (const name of [
      'FIDELIS_NATS_URL: a NATS url begins with nats://',
      'FIDELIS_HTTP_PORT: ',
      'FIDELIS_THREADS: ',
      'FIDELIS_LOG_LEVEL: ',
      'FIDELIS_DATABASE_URL: ',
    ]) {
      expect(message).toContain(name);
    }
  });

  it("passes over variables that are not the service's", () => {
    expect(loadConfig(schema, { ...given, HOME: '/root' })).not.toHaveProperty('HOME');
  });
});
