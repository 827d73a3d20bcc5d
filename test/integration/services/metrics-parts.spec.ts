import { ArtifactStore, OnRpc } from '@fidelis/bus';
import {
  EVALUATION_HEADER,
  metricsRpc,
  predictionSubject,
  STREAMS,
  teacherRpc,
  type EvaluationRecord,
  type EvaluationRequest,
  type RpcRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import { configSchema, createApp } from '@fidelis/metrics-svc';
import { waitFor } from '@fidelis/testing';
import { headers } from '@nats-io/transport-node';
import { Controller } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startService, storedMessages, type TestService } from '../bus/bus-fixture.js';
import { startGateway, type RunningGateway } from '../gateway/gateway-harness.js';
import { PredictionSet } from './metrics-fixture.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

let predictions: RpcResponse<typeof teacherRpc.predictions>;

@Controller()
class FakeTeacher {
  @OnRpc(teacherRpc.predictions)
  predictions(_: RpcRequest<typeof teacherRpc.predictions>): typeof predictions {
    return predictions;
  }
}

let servers: Servers;
let teacher: TestService;
let service: RunningService;
let gateway: RunningGateway;

const startMetrics = (): Promise<RunningService> =>
  startApp(createApp, configSchema, {
    FIDELIS_NATS_URL: servers.natsUrl,
    FIDELIS_DATABASE_URL: servers.databaseUrl,
  });

beforeAll(async () => {
  servers = await startServers();
  service = await startMetrics();
  teacher = await startService(servers.natsUrl, [FakeTeacher]);
  gateway = await startGateway(servers.natsUrl);
});
afterAll(async () => {
  await gateway.stop();
  await service.close();
  await teacher.close();
  await servers.dispose();
});

async function evaluationOf(runId: string): Promise<EvaluationRecord | undefined> {
  const { evaluations } = await service.rpc.call(metricsRpc.evaluations, { runIds: [runId] });
  return evaluations[0];
}

const evaluated = (runId: string): Promise<EvaluationRecord> =>
  waitFor(() => evaluationOf(runId), { what: `an evaluation of ${runId}`, deadlineMs: 60_000 });

async function sendPart(set: PredictionSet, request: EvaluationRequest, part: number): Promise<void> {
  const header = headers();
  header.set(EVALUATION_HEADER, JSON.stringify(request));
  const subject = predictionSubject(request.runId, request.set, request.step);
  await service.connection.request(subject, set.frame(request, part), { headers: header, timeout: 5_000 });
}

const allTaken = (): Promise<true> =>
  waitFor(async () => (await storedMessages(service.connection, STREAMS.predictions.name)) === 0, {
    what: 'all predictions to be taken',
    deadlineMs: 60_000,
  });

async function storedRanges(): Promise<number> {
  const [row] = await service
    .get(DataSource)
    .query<{ count: number }[]>('SELECT count(*)::int AS count FROM scored_ranges');
  return row?.count ?? NaN;
}

/** Everything of an evaluation that does not name its run or the time. */
async function figuresOf(runId: string): Promise<unknown> {
  const { id, runId: _run, createdAt: _moment, ...figures } = await evaluated(runId);
  const { details } = await service.rpc.call(metricsRpc.evaluationDetails, {
    sections: [
      { section: 'reliability', evaluationId: id },
      { section: 'perClass', evaluationId: id, from: 0, first: 1_000 },
      { section: 'disagreement', evaluationId: id, first: 5_000, includeAgreement: true },
    ],
  });
  return { figures, details };
}

function shuffled(count: number): number[] {
  // A fixed order that is none of the others: 7 and `count` have no common factor.
  return Array.from({ length: count }, (_, index) => (index * 7 + 3) % count);
}

describe('an evaluation in eleven parts', () => {
  let set: PredictionSet;
  let inOrder: unknown;

  beforeAll(async () => {
    set = await PredictionSet.create({ classes: 10, partRows: 947 }, (model, row, column) =>
      Math.fround(((row * 7_919 + column * 104_729 + (model === 'teacher' ? 1 : 13_007)) % 1_009) / 97),
    );
  });
  beforeEach(async () => {
    predictions = await set.storeTeacher(service.get(ArtifactStore));
  });

  async function send(runId: string, parts: readonly number[]): Promise<void> {
    const request = set.request(runId);
    for (const part of parts) await sendPart(set, request, part);
    await allTaken();
  }

  it('is what the library gives for the whole', async () => {
    expect(set.parts).toBe(11);
    await set.publish(service, 'r-in-order');
    inOrder = await figuresOf('r-in-order');
    const { fidelity, student } = await evaluated('r-in-order');
    const expected = set.whole().result();
    expect(fidelity.top1Agreement).toBe(expected.fidelity.top1Agreement);
    expect(fidelity.cohenKappa).toBe(expected.fidelity.cohenKappa);
    expect(fidelity.calibration?.ece).toBeCloseTo(expected.fidelity.calibration.ece, 14);
    expect(student.nll).toBeCloseTo(expected.student?.nll ?? NaN, 12);
    expect(student.brier).toBeCloseTo(expected.student?.brier ?? NaN, 12);
    expect(student.eceVariants).toHaveLength(4);
  });

  it.each([
    ['backwards', [...Array(11).keys()].reverse()],
    ['mixed', shuffled(11)],
    ['twice-each', [...Array(11).keys()].flatMap((part) => [part, part])],
    ['again-late', [5, 6, 7, 0, 1, 2, 3, 4, 5, 0, 3, 9, 8, 10]],
  ])('is the same to the bit with its parts %s', async (order, parts) => {
    await send(`r-${order}`, parts);
    expect(await figuresOf(`r-${order}`)).toStrictEqual(inOrder);
    expect(await storedRanges()).toBe(0);
  });

  it('is made once by two replicas that share its parts', async () => {
    const other = await startMetrics();
    const completed = async (): Promise<number> => {
      const counts = await Promise.all(
        [service, other].map((replica) => replica.sample('fidelis_evaluations_total{set="test"}')),
      );
      return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    };
    const before = await completed();
    const runs = Array.from({ length: 4 }, (_, index) => `r-replicas-${index}`);
    await Promise.all(runs.map((runId) => set.publish(service, runId)));
    for (const runId of runs) expect(await figuresOf(runId)).toStrictEqual(inOrder);
    expect(await completed()).toBe(before + runs.length);
    await other.close();
  });

  it('goes on after a restart in the middle', async () => {
    await send('r-restart', [0, 1, 2, 3, 4, 5]);
    expect(await storedRanges()).toBe(2);
    await service.close();
    service = await startMetrics();
    await send('r-restart', [4, 5, 6, 7, 8, 9, 10]);
    expect(await figuresOf('r-restart')).toStrictEqual(inOrder);
  });
});

describe('an evaluation of logits of ±1e4', () => {
  const FIGURES = `id infinite
    fidelity { top1Agreement predictiveKl reverseKl jensenShannon cohenKappa }
    teacher { nll accuracy } student { nll accuracy }`;

  async function evaluateWith(runId: string, least: number): Promise<unknown> {
    const set = await PredictionSet.create({ classes: 10, partRows: 4_096 }, (model, row, column) => {
      const chosen = model === 'teacher' ? row % 10 : (row + (row % 3 === 0 ? 1 : 0)) % 10;
      return column === chosen ? 1e4 : least;
    });
    predictions = await set.storeTeacher(service.get(ArtifactStore));
    await set.publish(service, runId);
    await evaluated(runId);
    const { data, errors } = await gateway.graphql(
      `query ($id: ID!) { evaluation(id: $id) { ${FIGURES} } }`,
      { id: `${runId}.test.469` },
    );
    expect(errors).toEqual([]);
    return (data as { evaluation: unknown }).evaluation;
  }

  it('has finite figures where each class keeps some log-probability', async () => {
    const evaluation = await evaluateWith('r-extreme', -1e4);
    // A third of the rows, less one, have the teacher's class at a log-probability of −20000.
    expect(evaluation).toMatchObject({
      infinite: [],
      fidelity: { top1Agreement: 0.6666, predictiveKl: 6_668, reverseKl: 6_668 },
    });
  });

  it('has null for what is infinite, says so, and keeps it apart from what has no value', async () => {
    const evaluation = await evaluateWith('r-infinite', -Infinity);
    expect(evaluation).toMatchObject({
      infinite: ['fidelity.predictiveKl', 'fidelity.reverseKl', 'teacher.nll', 'student.nll'],
      fidelity: { top1Agreement: 0.6666, predictiveKl: null, reverseKl: null },
      teacher: { nll: null },
    });
    const record = await evaluationOf('r-infinite');
    expect(record?.fidelity.predictiveKl).toBe('Infinity');
    expect(record?.fidelity.jensenShannon).toBeCloseTo(0.3334 * Math.log(2), 12);
  });

  it('has no kappa where both predict one class throughout', async () => {
    const set = await PredictionSet.create({ classes: 10, partRows: 4_096 }, (_, row, column) =>
      column === 3 ? 5 + (row % 2) : 0,
    );
    predictions = await set.storeTeacher(service.get(ArtifactStore));
    await set.publish(service, 'r-constant');
    expect((await evaluated('r-constant')).fidelity).toMatchObject({ cohenKappa: null, predictiveKl: 0 });
  });
});

describe('an evaluation of 1,000 classes in 105 parts', () => {
  const CLASSES = 1_000;
  let set: PredictionSet;
  let most: number;

  beforeAll(async () => {
    set = await PredictionSet.create({ classes: CLASSES, partRows: 96 }, (model, row, column) => {
      const chosen = model === 'teacher' ? (row * 7) % CLASSES : (row * 7 + (row % 4) * (row % 13)) % CLASSES;
      return column === chosen ? 9 : ((row * 31 + column * 17) % 101) / 50;
    });
    predictions = await set.storeTeacher(service.get(ArtifactStore));
    most = 0;
    await set.publish(service, 'r-thousand');
    await waitFor(
      async () => {
        most = Math.max(most, await storedRanges());
        return evaluationOf('r-thousand');
      },
      { what: 'the evaluation of 1,000 classes', deadlineMs: 120_000 },
    );
  }, 180_000);

  it('stores no more than a handful of states at any time', async () => {
    expect(set.parts).toBe(105);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(Math.floor(Math.log2(set.parts)) + 1);
    expect(await storedRanges()).toBe(0);
  });

  it('gives its details through GraphQL, the largest cells first', async () => {
    const bin = '{ lower upper count confidence accuracy }';
    const { data, errors } = await gateway.graphql(
      `query ($id: ID!) { evaluation(id: $id) {
        n classes bins fidelity { top1Agreement calibration { ece } } student { accuracy ece murphy { resolution } }
        reliability { teacher ${bin} student ${bin} fidelity ${bin} }
        disagreement { classes total truncated cells { teacher student count } }
        all: disagreement(first: 5000, includeAgreement: true) { total truncated cells { count } }
        perClass { class teacherPredicted studentPredicted agreement labels { count studentAccuracy } }
        some: perClass(from: 998, first: 10) { class }
      } }`,
      { id: 'r-thousand.test.469' },
    );
    expect(errors).toEqual([]);
    const { evaluation } = data as { evaluation: Record<string, never> };
    const expected = set.whole().result();
    const off = expected.fidelity.disagreement.filter((cell) => cell.teacher !== cell.student);
    const largest = off.toSorted(
      (a, b) => b.count - a.count || a.teacher - b.teacher || a.student - b.student,
    );
    expect(evaluation['disagreement']).toEqual({
      classes: CLASSES,
      total: off.length,
      truncated: true,
      cells: largest.slice(0, 100),
    });
    const { all } = evaluation as unknown as { all: { cells: { count: number }[] } };
    expect(all).toMatchObject({ total: expected.fidelity.disagreement.length, truncated: true });
    expect(all.cells).toHaveLength(5_000);
    const sizes = expected.fidelity.disagreement.map(({ count }) => count).toSorted((a, b) => b - a);
    expect(all.cells.map(({ count }) => count)).toEqual(sizes.slice(0, 5_000));
    const { perClass, reliability } = evaluation as unknown as {
      perClass: { class: number; labels: { count: number } }[];
      reliability: Record<'teacher' | 'student' | 'fidelity', { count: number }[]>;
    };
    expect(perClass).toHaveLength(CLASSES);
    expect(perClass[7]).toMatchObject({
      class: 7,
      teacherPredicted: expected.fidelity.perClass[7]?.teacherPredicted,
      labels: { count: expected.fidelity.perClass[7]?.labels?.count },
    });
    expect(evaluation['some']).toEqual([{ class: 998 }, { class: 999 }]);
    const counts = reliability.fidelity.map(({ count }) => count);
    expect(counts).toEqual(expected.fidelity.calibration.reliability.map(({ count }) => count));
    expect(reliability.teacher.reduce((sum, { count }) => sum + count, 0)).toBe(set.rows);
  });

  it('answers what does not fit one message in several', async () => {
    const evaluationId = 'r-thousand.test.469';
    const sections = Array.from({ length: 40 }, (_, from) => ({
      section: 'perClass' as const,
      evaluationId,
      from,
      first: 900,
    }));
    const { details } = await service.rpc.call(metricsRpc.evaluationDetails, { sections });
    expect(details.length).toBeGreaterThan(1);
    expect(details.length).toBeLessThan(sections.length);
    const aliases = sections
      .slice(0, 20)
      .map(({ from, first }) => `c${from}: perClass(from: ${from}, first: ${first}) { class }`);
    const { data, errors } = await gateway.graphql(
      `{ evaluation(id: "${evaluationId}") { ${aliases.join(' ')} } }`,
    );
    expect(errors).toEqual([]);
    const { evaluation } = data as { evaluation: Record<string, { class: number }[]> };
    expect(Object.values(evaluation).map((classes) => classes[0]?.class)).toEqual(
      Array.from({ length: 20 }, (_, from) => from),
    );
  });
});

it('says what to do about an evaluation that is not there', async () => {
  const { data, errors } = await gateway.graphql('{ evaluation(id: "r-nobody.test.1") { n } }');
  expect(data).toEqual({ evaluation: null });
  expect(errors).toMatchObject([
    {
      message: expect.stringContaining('<run>.<set>.<step>') as string,
      extensions: { code: 'EVALUATION.NOT_FOUND' },
    },
  ]);
});
