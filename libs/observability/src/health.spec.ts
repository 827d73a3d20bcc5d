import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HealthRegistry } from './health.js';

describe('HealthRegistry', () => {
  let health: HealthRegistry;
  beforeEach(() => {
    health = new HealthRegistry();
  });
  afterEach(() => vi.useRealTimers());

  it('is not ready before the start', async () => {
    expect(await health.ready()).toEqual({
      status: 'unavailable',
      draining: false,
      checks: { started: 'starting' },
    });
    expect(health.isStarted()).toBe(false);
  });

  it('is ready once started, while all checks pass', async () => {
    health.register('nats', async () => undefined);
    health.setStarted();
    expect(health.isStarted()).toBe(true);
    expect(await health.ready()).toEqual({
      status: 'ok',
      draining: false,
      checks: { nats: 'ok', started: 'ok' },
    });
  });

  it('says which check failed and why, and asks again every time', async () => {
    let away = true;
    health.register('nats', async () => undefined);
    health.register('database', async () => {
      if (away) throw new Error('connection refused');
    });
    health.setStarted();
    expect(await health.ready()).toMatchObject({
      status: 'unavailable',
      checks: { nats: 'ok', database: 'connection refused' },
    });
    away = false;
    expect((await health.ready()).status).toBe('ok');
  });

  it('fails a check that throws before it returns a promise', async () => {
    health.register('odd', () => {
      throw new Error('at once');
    });
    health.setStarted();
    expect((await health.ready()).checks['odd']).toBe('at once');
  });

  it('fails a check that does not answer, after its deadline', async () => {
    vi.useFakeTimers();
    health.register('hangs', () => new Promise(() => undefined));
    health.setStarted();
    const report = health.ready();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await report).toMatchObject({
      status: 'unavailable',
      checks: { hangs: 'no answer within 3000 ms' },
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind when checks answer', async () => {
    vi.useFakeTimers();
    health.register('nats', async () => undefined);
    await health.ready();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not ready while it drains, though everything works', async () => {
    health.setStarted();
    health.setDraining();
    expect(await health.ready()).toMatchObject({ status: 'unavailable', draining: true });
  });
});
