import { eventSubject, metricsEvents, metricsRpc, STREAMS } from '@fidelis/contracts';
import { configSchema, createApp } from '@fidelis/metrics-svc';
import { waitFor } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type RunningGateway } from '../gateway/gateway-harness.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

const figures = { accuracy: 0.9123, nll: 0.30000000000000004, ece: 0.02 };
/** As it was stored before there were more figures; what was infinite had become null in the JSON. */
const thin = {
  id: 'r-old.test.469',
  runId: 'r-old',
  teacherId: 't-1',
  set: 'test',
  step: 469,
  epoch: 1,
  final: true,
  n: 10_000,
  classes: 10,
  bins: 15,
  convention: 'torchmetrics',
  fidelity: { top1Agreement: 0.97, predictiveKl: null },
  teacher: figures,
  student: figures,
  createdAt: '2026-01-01T00:00:00.000Z',
};

describe('a database of metrics-svc from before it kept details', () => {
  let servers: Servers;
  let service: RunningService;
  let gateway: RunningGateway;

  const start = (): Promise<RunningService> =>
    startApp(createApp, configSchema, {
      FIDELIS_NATS_URL: servers.natsUrl,
      FIDELIS_DATABASE_URL: servers.databaseUrl,
    });

  beforeAll(async () => {
    servers = await startServers();
    const before = await start();
    const database = before.get(DataSource);
    await database.undoLastMigration({ transaction: 'all' });
    await database.query('INSERT INTO evaluations VALUES ($1, $2, $3, $4, $5)', [
      thin.id,
      thin.runId,
      thin.step,
      thin,
      thin.createdAt,
    ]);
    for (const part of [0, 2]) {
      await database.query('INSERT INTO scored_parts VALUES ($1, $2, $3)', [
        'r-half.train-clean.94',
        part,
        {},
      ]);
    }
    await before.close();
    service = await start();
    gateway = await startGateway(servers.natsUrl);
  });
  afterAll(async () => {
    await gateway.stop();
    await service.close();
    await servers.dispose();
  });

  it('gives its evaluations with null for what was not measured', async () => {
    const { evaluations } = await service.rpc.call(metricsRpc.evaluations, { runIds: ['r-old'] });
    expect(evaluations).toHaveLength(1);
    expect(evaluations[0]).toMatchObject({
      ...thin,
      fidelity: { ...thin.fidelity, cohenKappa: null, calibration: null },
      student: { ...figures, brier: null, murphy: null, eceVariants: [] },
    });
  });

  it('gives people the same, without details', async () => {
    const { data, errors } = await gateway.graphql(`{ evaluation(id: "r-old.test.469") {
      n infinite fidelity { top1Agreement predictiveKl cohenKappa calibration { ece } }
      student { accuracy nll brier eceVariants { ece } }
      reliability { teacher { count } } disagreement { total } perClass { class }
    } }`);
    expect(errors).toEqual([]);
    expect(data).toEqual({
      evaluation: {
        n: 10_000,
        infinite: [],
        fidelity: { top1Agreement: 0.97, predictiveKl: null, cohenKappa: null, calibration: null },
        student: { accuracy: 0.9123, nll: 0.30000000000000004, brier: null, eceVariants: [] },
        reliability: null,
        disagreement: null,
        perClass: null,
      },
    });
  });

  it('tells the runs whose evaluations were being made, once each', async () => {
    const manager = await jetstreamManager(service.connection);
    const subject = eventSubject(metricsEvents.failed, 'r-half');
    const message = await waitFor(
      () => manager.streams.getMessage(STREAMS.events.name, { last_by_subj: subject }),
      { what: 'the event' },
    );
    expect(metricsEvents.failed.schema.parse(message.json())).toMatchObject({
      runId: 'r-half',
      set: 'train-clean',
      step: 94,
      error: {
        code: 'EVALUATION.INTERRUPTED',
        message: expect.stringContaining('start the run again') as string,
      },
    });
    const { state } = await manager.streams.info(STREAMS.events.name, { subjects_filter: subject });
    expect(state.subjects).toEqual({ [subject]: 1 });
  });
});
