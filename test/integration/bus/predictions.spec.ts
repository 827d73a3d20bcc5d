import { OnPredictions, PredictionPublisher, type NatsConnection, type PredictionPart } from '@fidelis/bus';
import {
  encodeFrame,
  EVALUATION_HEADER,
  predictionKey,
  predictionSubject,
  STREAMS,
  type EvaluationRequest,
  type LogitFrame,
} from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { Controller } from '@nestjs/common';
import { headers } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectTo, deadLetterOf, startService, storedMessages, type TestService } from './bus-fixture.js';

const request = (runId: string, parts = 2): EvaluationRequest => ({
  runId,
  correlationId: `c-${runId}`,
  teacherId: 't-1',
  dataset: { name: 'mnist', digest: 'a'.repeat(64) },
  set: 'test',
  step: 12,
  epoch: 3,
  final: true,
  rows: 2 * parts,
  parts,
  partRows: 2,
});

function frame(ofRequest: EvaluationRequest, part: number, overrides: Partial<LogitFrame> = {}): Uint8Array {
  const { runId, set, step, parts } = ofRequest;
  return encodeFrame({
    codec: 'f32',
    part,
    parts,
    streamKey: predictionKey(runId, set, step),
    step,
    rows: 2,
    members: 1,
    classes: 2,
    inputDigest: '0000000000000001',
    values: Float32Array.of(part, 1, 2, 3),
    ...overrides,
  });
}

const scored: { part: PredictionPart; correlationId: string }[] = [];

@Controller()
class Scorer {
  @OnPredictions({ durable: 'scorer', backoffMs: [100] })
  score(part: PredictionPart, context: { correlationId: string }): void {
    scored.push({ part, correlationId: context.correlationId });
  }
}

describe('predictions', () => {
  let nats: TestNats;
  let service: TestService;
  let outside: NatsConnection;
  let publisher: PredictionPublisher;
  const streamEmpty = (): Promise<boolean> =>
    waitFor(async () => (await storedMessages(outside, STREAMS.predictions.name)) === 0, {
      what: 'an empty stream',
    });

  beforeAll(async () => {
    nats = await startTestNats();
    service = await startService(nats.url, [Scorer]);
    outside = await connectTo(nats.url);
    publisher = new PredictionPublisher(outside);
  });
  beforeEach(() => {
    scored.length = 0;
  });
  afterAll(async () => {
    await service?.close();
    await outside?.close();
    await nats?.dispose();
  });

  it('reach the scorer in the order of their parts, with what they are, and are removed', async () => {
    const asked = request('r-1', 3);
    await publisher.publish(asked, [frame(asked, 0), frame(asked, 1), frame(asked, 2)]);
    await streamEmpty();
    expect(scored.map(({ part }) => part.frame.part)).toEqual([0, 1, 2]);
    expect(scored[1]).toMatchObject({ part: { request: asked }, correlationId: 'c-r-1' });
    expect([...(scored[1]?.part.frame.values ?? [])]).toEqual([1, 1, 2, 3]);
  });

  it('are there once when a worker publishes them again', async () => {
    const asked = request('r-2');
    const frames = [frame(asked, 0), frame(asked, 1)];
    await publisher.publish(asked, frames);
    await publisher.publish(asked, frames);
    await streamEmpty();
    expect(scored).toHaveLength(2);
  });

  it('must be complete', async () => {
    const asked = request('r-3');
    await expect(publisher.publish(asked, [frame(asked, 0)])).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
  });

  it.each([
    ['without a header', 'r-4', undefined, (asked: EvaluationRequest) => frame(asked, 0), 'REQUEST.INVALID'],
    [
      'with a header that is not JSON',
      'r-5',
      '{',
      (asked: EvaluationRequest) => frame(asked, 0),
      'REQUEST.INVALID',
    ],
    ['that are no frame', 'r-6', 'own', () => new TextEncoder().encode('garbage'), 'FRAME.INVALID'],
    [
      'of another evaluation',
      'r-7',
      'own',
      (asked: EvaluationRequest) => frame(asked, 0, { streamKey: '00000000000000aa' }),
      'FRAME.FOREIGN',
    ],
  ])('%s are set aside, and the next are scored', async (_, runId, header, bytes, code) => {
    const asked = request(runId);
    const subject = predictionSubject(runId, asked.set, asked.step);
    const foreign = headers();
    if (header !== undefined)
      foreign.set(EVALUATION_HEADER, header === 'own' ? JSON.stringify(asked) : header);
    outside.publish(subject, bytes(asked), { headers: foreign });
    const next = request(`${runId}-next`);
    await publisher.publish(next, [frame(next, 0), frame(next, 1)]);
    expect((await deadLetterOf(outside, subject)).code).toBe(code);
    await streamEmpty();
    expect(scored.map(({ part }) => part.request.runId)).toEqual([next.runId, next.runId]);
  });
});
