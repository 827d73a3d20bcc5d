import {
  activeCorrelationId,
  OnRpc,
  RpcClient,
  withCorrelationId,
  type MessageContext,
  type NatsConnection,
} from '@fidelis/bus';
import { defineRpc, FidelisError } from '@fidelis/contracts';
import { startTestNats, type TestNats } from '@fidelis/testing';
import { Controller } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectTo, startService, type TestService } from './bus-fixture.js';

const double = defineRpc(
  'calculator.double',
  z.strictObject({ n: z.number() }),
  z.strictObject({ n: z.number() }),
);
const fail = defineRpc('calculator.fail', z.strictObject({ how: z.string() }), z.strictObject({}));
const who = defineRpc(
  'calculator.who',
  z.strictObject({}),
  z.strictObject({ context: z.string(), active: z.string().optional(), nested: z.string() }),
);
const inner = defineRpc('calculator.inner', z.strictObject({}), z.strictObject({ id: z.string() }));
const liar = defineRpc('calculator.liar', z.strictObject({}), z.strictObject({ n: z.number() }));
const slow = defineRpc('calculator.slow', z.strictObject({}), z.strictObject({}));
const nobody = defineRpc('calculator.nobody', z.strictObject({}), z.strictObject({}));

@Controller()
class Calculator {
  constructor(private readonly rpc: RpcClient) {}

  @OnRpc(double)
  double({ n }: { n: number }): { n: number } {
    return { n: 2 * n };
  }

  @OnRpc(fail)
  async fail({ how }: { how: string }): Promise<Record<string, never>> {
    if (how === 'typed') {
      throw new FidelisError('TEACHER.NOT_FOUND', 'no teacher "t-1"', {
        details: { id: 't-1', known: ['t-2'] },
      });
    }
    if (how === 'retryable') throw new FidelisError('INTERNAL', 'later perhaps', { retryable: true });
    throw new TypeError('a bug');
  }

  @OnRpc(who)
  async who(_: object, context: MessageContext): Promise<z.input<typeof who.response>> {
    const nested = await this.rpc.call(inner, {});
    return { context: context.correlationId, active: activeCorrelationId(), nested: nested.id };
  }

  @OnRpc(inner)
  inner(_: object, context: MessageContext): { id: string } {
    return { id: context.correlationId };
  }

  @OnRpc(liar)
  liar(): { n: number } {
    return { n: 'many' } as unknown as { n: number };
  }

  @OnRpc(slow)
  async slow(_: object, context: MessageContext): Promise<Record<string, never>> {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    return {};
  }
}

describe('rpc', () => {
  let nats: TestNats;
  let service: TestService;
  let caller: NatsConnection;
  let rpc: RpcClient;

  beforeAll(async () => {
    nats = await startTestNats();
    service = await startService(nats.url, [Calculator], { drainGraceMs: 200 });
    caller = await connectTo(nats.url);
    rpc = new RpcClient(caller);
  });
  afterAll(async () => {
    await caller?.close();
    await service?.close();
    await nats?.dispose();
  });

  it('answers a call', async () => {
    expect(await rpc.call(double, { n: 21 })).toEqual({ n: 42 });
  });

  it('brings a typed error to the caller with code, message, details and retryable', async () => {
    await expect(rpc.call(fail, { how: 'typed' })).rejects.toMatchObject({
      code: 'TEACHER.NOT_FOUND',
      message: 'no teacher "t-1"',
      details: { id: 't-1', known: ['t-2'] },
      retryable: false,
    });
    await expect(rpc.call(fail, { how: 'retryable' })).rejects.toMatchObject({
      code: 'INTERNAL',
      retryable: true,
    });
  });

  it('brings an unexpected error to the caller as INTERNAL, without its stack', async () => {
    const error: unknown = await rpc.call(fail, { how: 'bug' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'INTERNAL', message: 'a bug', retryable: false, details: {} });
  });

  it('carries the correlation id to the handler and to the calls that the handler makes', async () => {
    expect(await rpc.call(who, {}, { correlationId: 'c-1' })).toEqual({
      context: 'c-1',
      active: 'c-1',
      nested: 'c-1',
    });
    expect(await withCorrelationId('c-2', () => rpc.call(who, {}))).toMatchObject({
      context: 'c-2',
      nested: 'c-2',
    });
  });

  it('ignores fields that a newer caller sends', async () => {
    const answer = await caller.request(double.subject, JSON.stringify({ n: 4, unit: 'apples' }), {
      timeout: 2_000,
    });
    expect(answer.json()).toEqual({ n: 8 });
  });

  it('holds the own request to the contract before anything is sent', async () => {
    await expect(rpc.call(double, { n: 1, extra: true } as { n: number })).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
      details: { issues: [{ field: 'extra', problem: 'unknown field' }] },
    });
  });

  it.each([
    ['fields of another type', '{"n":"seven"}'],
    ['bytes that are not JSON', 'not json'],
    ['no bytes', ''],
  ])('answers %s with REQUEST.INVALID', async (_, body) => {
    const answer = await caller.request(double.subject, body, { timeout: 2_000 });
    expect(answer.headers?.get('Fidelis-Error-Code')).toBe('REQUEST.INVALID');
    expect(answer.json()).toMatchObject({ code: 'REQUEST.INVALID', retryable: false });
  });

  it('calls an answer that is not the contract the fault of the service', async () => {
    await expect(rpc.call(liar, {})).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('says BUS.UNAVAILABLE when nobody answers to the subject, after trying until its time is up', async () => {
    const startedAt = performance.now();
    await expect(rpc.call(nobody, {}, { timeoutMs: 400 })).rejects.toMatchObject({
      code: 'BUS.UNAVAILABLE',
      retryable: true,
    });
    expect(performance.now() - startedAt).toBeGreaterThan(250);
  });

  it('reaches a service that starts while the call waits', async () => {
    @Controller()
    class Late {
      @OnRpc(nobody)
      answer(): Record<string, never> {
        return {};
      }
    }
    const call = rpc.call(nobody, {}, { timeoutMs: 10_000 });
    const late = await startService(nats.url, [Late]);
    expect(await call).toEqual({});
    await late.close();
  });

  it('says BUS.TIMEOUT when a handler does not answer in time', async () => {
    await expect(rpc.call(slow, {}, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'BUS.TIMEOUT',
      retryable: true,
    });
  });
});
