import { ArtifactStore, EventSubscriber, OnRpc, PredictionPublisher } from '@fidelis/bus';
import {
  encodeFrame,
  EVALUATION_HEADER,
  inputDigest,
  metricsEvents,
  metricsRpc,
  predictionKey,
  predictionSubject,
  STREAMS,
  teacherRpc,
  type EvaluationRecord,
  type EvaluationRequest,
  type EventPayload,
  type LogitFrame,
  type RpcRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import { createTableView, datasetRef, loadDataset, type TableView } from '@fidelis/data';
import { EvaluationEngine } from '@fidelis/fidelity';
import { configSchema, createApp } from '@fidelis/metrics-svc';
import { waitFor } from '@fidelis/testing';
import { headers } from '@nats-io/transport-node';
import { Controller } from '@nestjs/common';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadLetterOf, startService, storedMessages, type TestService } from '../bus/bus-fixture.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

const CLASSES = 10;
const ROWS = 10_000;
const PART_ROWS = 4_096;
const PARTS = 3;

/** Logits that look like a classifier's, and differ between two of them. */
function logitsOf(salt: number): Float32Array {
  return Float32Array.from(
    { length: ROWS * CLASSES },
    (_, i) => ((i * 7_919 + salt * 104_729) % 1_009) / 100,
  );
}
const teacherLogits = logitsOf(1);
const studentLogits = logitsOf(2);

function withoutBins<Figures extends { reliability: unknown }>(
  figures: Figures | undefined,
): Omit<Figures, 'reliability'> | undefined {
  if (figures === undefined) return undefined;
  const { reliability: _bins, ...rest } = figures;
  return rest;
}

/** The teacher's predictions, as soon as they are there. */
let predictions: RpcResponse<typeof teacherRpc.predictions> = { state: 'pending' };

@Controller()
class FakeTeacher {
  @OnRpc(teacherRpc.predictions)
  predictions(_: RpcRequest<typeof teacherRpc.predictions>): typeof predictions {
    return predictions;
  }
}

describe('metrics-svc', () => {
  let servers: Servers;
  let teacher: TestService;
  let service: RunningService;
  let view: TableView;
  let ready: typeof predictions;

  beforeAll(async () => {
    servers = await startServers();
    const dataset = await loadDataset('mnist');
    view = createTableView(dataset, { kind: 'table', dataset: datasetRef(dataset), split: 'test' });
    service = await startApp(createApp, configSchema, {
      FIDELIS_NATS_URL: servers.natsUrl,
      FIDELIS_DATABASE_URL: servers.databaseUrl,
    });
    teacher = await startService(servers.natsUrl, [FakeTeacher]);
    const artifact = await service.get(ArtifactStore).put(new Uint8Array(teacherLogits.buffer));
    ready = {
      state: 'ready',
      artifact,
      teacherDigest: 'fe'.repeat(32),
      rows: ROWS,
      members: 1,
      classes: CLASSES,
    };
    predictions = ready;
  });
  afterAll(async () => {
    await service.close();
    await teacher.close();
    await servers.dispose();
  });

  function requestOf(runId: string, step = 469): EvaluationRequest {
    return {
      runId,
      correlationId: `c-${runId}`,
      teacherId: 't-0123456789ab',
      dataset: view.spec.dataset,
      set: 'test',
      step,
      epoch: 1,
      final: true,
      rows: ROWS,
      parts: PARTS,
      partRows: PART_ROWS,
    };
  }

  function frameOf(request: EvaluationRequest, part: number, changes: Partial<LogitFrame> = {}): Uint8Array {
    const { runId, set, step, parts } = request;
    const ids = view.ids.subarray(part * PART_ROWS, (part + 1) * PART_ROWS);
    return encodeFrame({
      codec: 'f32',
      part,
      parts,
      streamKey: predictionKey(runId, set, step),
      step,
      rows: ids.length,
      members: 1,
      classes: CLASSES,
      inputDigest: inputDigest(view.inputs(ids)),
      values: studentLogits.subarray(
        part * PART_ROWS * CLASSES,
        part * PART_ROWS * CLASSES + ids.length * CLASSES,
      ),
      ...changes,
    });
  }

  /** What the library gives for the same parts, merged from the first to the last. */
  function wholeOf(student: Float32Array): EvaluationEngine {
    const whole = new EvaluationEngine({ classes: CLASSES, labels: true });
    for (let part = 0; part < PARTS; part++) {
      const ids = view.ids.subarray(part * PART_ROWS, (part + 1) * PART_ROWS);
      const cut = (values: Float32Array): Float32Array =>
        values.subarray(part * PART_ROWS * CLASSES, (part * PART_ROWS + ids.length) * CLASSES);
      const scored = new EvaluationEngine({ classes: CLASSES, labels: true });
      scored.add({
        teacher: cut(teacherLogits),
        student: cut(student),
        labels: view.labels(ids),
        rows: ids.length,
      });
      whole.merge(scored);
    }
    return whole;
  }

  const framesOf = (request: EvaluationRequest): Uint8Array[] =>
    Array.from({ length: PARTS }, (_, part) => frameOf(request, part));

  const evaluationsOf = async (runId: string): Promise<EvaluationRecord[]> =>
    (await service.rpc.call(metricsRpc.evaluations, { runIds: [runId] })).evaluations;

  const evaluated = (runId: string): Promise<EvaluationRecord> =>
    waitFor(async () => (await evaluationsOf(runId))[0], { what: `an evaluation of ${runId}` });

  /** Puts anything on the subject of these predictions. */
  async function sendRaw(request: EvaluationRequest, data: Uint8Array): Promise<string> {
    const subject = predictionSubject(request.runId, request.set, request.step);
    const header = headers();
    header.set(EVALUATION_HEADER, JSON.stringify(request));
    service.connection.publish(subject, data, { headers: header });
    await service.connection.flush();
    return subject;
  }

  it('gives exactly the figures that the metrics library gives, over all parts, and tells of them', async () => {
    const events = service.get(EventSubscriber).subscribe(metricsEvents.evaluated, 'r-figures');
    const heard: EvaluationRecord[] = [];
    const listening = (async () => {
      for await (const { payload } of events) heard.push(payload);
    })();
    const request = requestOf('r-figures');
    await service.get(PredictionPublisher).publish(request, framesOf(request));
    const evaluation = await evaluated('r-figures');

    const expected = wholeOf(studentLogits).result();
    const {
      perClass: _classes,
      disagreement: _cells,
      calibration: _calibration,
      ...scalars
    } = expected.fidelity;
    expect(evaluation).toMatchObject({
      id: 'r-figures.test.469',
      n: ROWS,
      classes: CLASSES,
      bins: 15,
      convention: 'torchmetrics',
      final: true,
      fidelity: {
        ...scalars,
        calibration: withoutBins(expected.fidelity.calibration),
      },
      teacher: withoutBins(expected.teacher),
      student: withoutBins(expected.student),
    });
    await waitFor(() => heard.length > 0, { what: 'the event' });
    events.close();
    await listening;
    expect(heard).toEqual([evaluation]);
  });

  it('shows the figures to Prometheus', async () => {
    const { fidelity, student } = await evaluated('r-figures');
    const labels = 'run="r-figures",set="test"';
    expect(await service.sample(`fidelis_agreement_ratio{${labels}}`)).toBeCloseTo(
      fidelity.top1Agreement,
      12,
    );
    expect(await service.sample(`fidelis_predictive_kl_nats{${labels}}`)).toBeCloseTo(
      Number(fidelity.predictiveKl),
      12,
    );
    expect(await service.sample(`fidelis_ece_ratio{${labels},model="student",bins="15"}`)).toBeCloseTo(
      student.ece,
      12,
    );
    expect(await service.sample('fidelis_evaluations_total{set="test"}')).toBe(1);
  });

  it('scores nothing twice: a part that comes again changes nothing, before and after the last one', async () => {
    const request = requestOf('r-again');
    const [first, second, third] = framesOf(request);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three parts');
    const before = (await service.sample('fidelis_evaluations_total{set="test"}')) ?? 0;
    for (const frame of [second, second, first, second, third]) await sendRaw(request, frame);
    const evaluation = await evaluated('r-again');
    const { fidelity, teacher: ofTeacher, student } = await evaluated('r-figures');
    expect(evaluation).toMatchObject({ n: ROWS, fidelity, teacher: ofTeacher, student });
    for (const frame of [first, third]) await sendRaw(request, frame);
    await waitFor(async () => (await storedMessages(service.connection, STREAMS.predictions.name)) === 0, {
      what: 'all predictions to be taken',
    });
    expect(await evaluationsOf('r-again')).toEqual([evaluation]);
    expect(await service.sample('fidelis_evaluations_total{set="test"}')).toBe(before + 1);
  });

  it.each([
    ['truncated', 'FRAME.INVALID', (frame: Uint8Array) => frame.subarray(0, frame.length - 100)],
    ['no', 'FRAME.INVALID', () => new TextEncoder().encode('hello')],
  ])('sets a %s frame aside and scores what comes after it', async (what, code, spoil) => {
    const request = requestOf(`r-${what}`);
    const subject = await sendRaw(request, spoil(frameOf(request, 0)));
    expect(await deadLetterOf(service.connection, subject)).toMatchObject({
      code,
      subject,
      stream: STREAMS.predictions.name,
    });
    await service.get(PredictionPublisher).publish(request, framesOf(request));
    expect((await evaluated(request.runId)).n).toBe(ROWS);
  });

  it("sets another run's frame aside", async () => {
    const request = requestOf('r-foreign');
    const subject = await sendRaw(request, frameOf(requestOf('r-other'), 0));
    expect(await deadLetterOf(service.connection, subject)).toMatchObject({ code: 'FRAME.FOREIGN' });
    await service.get(PredictionPublisher).publish(request, framesOf(request));
    expect((await evaluated('r-foreign')).n).toBe(ROWS);
  });

  it('sets predictions of other inputs aside, and tells the run', async () => {
    const request = requestOf('r-misaligned');
    const events = service.get(EventSubscriber).subscribe(metricsEvents.failed, 'r-misaligned');
    const heard: EventPayload<typeof metricsEvents.failed>[] = [];
    const listening = (async () => {
      for await (const { payload } of events) heard.push(payload);
    })();
    await service.connection.flush();
    const subject = await sendRaw(request, frameOf(request, 1, { inputDigest: '0123456789abcdef' }));
    expect(await deadLetterOf(service.connection, subject)).toMatchObject({ code: 'STREAM.MISALIGNED' });
    await waitFor(() => heard.length > 0, { what: 'the event' });
    events.close();
    await listening;
    expect(heard[0]).toMatchObject({ set: 'test', step: 469, error: { code: 'STREAM.MISALIGNED' } });
    expect(await evaluationsOf('r-misaligned')).toEqual([]);
  });

  it('waits for a teacher that is still scoring', async () => {
    predictions = { state: 'pending' };
    const request = requestOf('r-early');
    await service.get(PredictionPublisher).publish(request, framesOf(request));
    await waitFor(
      async () => ((await service.sample('fidelis_redeliveries_total{kind="predictions"}')) ?? 0) > 0,
      { what: 'a part that comes again' },
    );
    expect(await evaluationsOf('r-early')).toEqual([]);
    predictions = ready;
    expect((await evaluated('r-early')).n).toBe(ROWS);
  });

  it('lists the evaluations of the runs that are asked for, by step', async () => {
    const earlier = requestOf('r-figures', 100);
    await service.get(PredictionPublisher).publish(earlier, framesOf(earlier));
    await waitFor(async () => (await evaluationsOf('r-figures')).length === 2, { what: 'both evaluations' });
    const { evaluations } = await service.rpc.call(metricsRpc.evaluations, {
      runIds: ['r-figures', 'r-again', 'r-nobody'],
    });
    expect(evaluations.map(({ runId, step }) => [runId, step])).toEqual([
      ['r-again', 469],
      ['r-figures', 100],
      ['r-figures', 469],
    ]);
  });

  it('forgets what it knows of a run, complete or not, and of no other', async () => {
    const query = async (sql: string): Promise<number> => {
      const client = new Client({ connectionString: servers.databaseUrl });
      await client.connect();
      const { rowCount } = await client.query(sql);
      await client.end();
      return rowCount ?? 0;
    };
    // As if the second part had not come yet.
    await query(`INSERT INTO metrics.scored_ranges VALUES ('r-figures.test.200', 0, 1, '{}')`);
    await query(`INSERT INTO metrics.scored_ranges VALUES ('r-figures2.test.200', 0, 1, '{}')`);
    for (let time = 0; time < 2; time++) await service.rpc.call(metricsRpc.removeRun, { runId: 'r-figures' });
    expect(await query(`DELETE FROM metrics.scored_ranges`)).toBe(1);
    expect(await evaluationsOf('r-figures')).toEqual([]);
    expect(await evaluationsOf('r-again')).toHaveLength(1);
  });

  it('says how it is', async () => {
    for (const probe of ['live', 'startup']) {
      const response = await fetch(`${service.url}/health/${probe}`);
      expect([probe, response.status]).toEqual([probe, 200]);
    }
    const readiness = await fetch(`${service.url}/health/ready`);
    expect(readiness.status).toBe(200);
    expect(await readiness.json()).toEqual({
      status: 'ok',
      draining: false,
      checks: { nats: 'ok', database: 'ok', started: 'ok' },
    });
  });
});
