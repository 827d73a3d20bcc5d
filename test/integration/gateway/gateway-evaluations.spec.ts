import { DETAIL_LIMITS } from '@fidelis/contracts';
import { evaluationRecord, runRecord } from '@fidelis/gateway/fixtures';
import { startTestNats, type TestNats } from '@fidelis/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakePlatform, startFakes, type RunningFakes } from './fake-services.js';
import { startGateway, type RunningGateway } from './gateway-harness.js';

const platform = new FakePlatform();
let nats: TestNats;
let fakes: RunningFakes;
let gateway: RunningGateway;

beforeAll(async () => {
  nats = await startTestNats();
  fakes = await startFakes(nats.url, platform);
  gateway = await startGateway(nats.url);
});
afterAll(async () => {
  await gateway?.stop();
  await fakes?.stop();
  await nats?.dispose();
});
beforeEach(() => platform.reset());

/** Runs with one evaluation at each of the steps 1, 2, …. */
function evaluatedRuns(runs: number, steps: number): void {
  const ids = Array.from({ length: runs }, (_, index) => `r-${index}`);
  platform.addRuns(...ids.map((id) => runRecord({ id })));
  platform.evaluations = ids.flatMap((runId) =>
    Array.from({ length: steps }, (_, index) =>
      evaluationRecord({ runId, step: index + 1, id: `${runId}.test.${index + 1}` }),
    ),
  );
}

const DETAILS = `reliability { student { count accuracy } } disagreement { total truncated cells { count } }
  withDiagonal: disagreement(includeAgreement: true) { total truncated }`;

interface Answer {
  readonly runs: { edges: { node: { evaluations: Record<string, never>[] } }[] };
}

describe('the evaluations of runs', () => {
  it('come with their details by one call, however many they are', async () => {
    evaluatedRuns(10, 6);
    const { data, errors } = await gateway.graphql(
      `{ runs { edges { node { evaluations { step ${DETAILS} } } } } }`,
    );
    expect(errors).toEqual([]);
    expect(platform.calls.map(({ method }) => method)).toEqual(['list', 'evaluations', 'evaluationDetails']);
    const { runs } = data as Answer;
    expect(runs.edges).toHaveLength(10);
    for (const { node } of runs.edges) {
      expect(node.evaluations).toEqual(
        [1, 2, 3, 4, 5, 6].map((step) => ({
          step,
          reliability: { student: [{ count: step, accuracy: null }] },
          disagreement: { total: 1, truncated: false, cells: [{ count: step }] },
          withDiagonal: { total: 2, truncated: true },
        })),
      );
    }
  });

  it('cost no call for details that nobody asked for', async () => {
    evaluatedRuns(2, 2);
    await gateway.graphql('{ runs { edges { node { evaluations { fidelity { cohenKappa } } } } } }');
    expect(platform.requests('evaluationDetails')).toEqual([]);
  });

  it('are asked for until all are there, where one answer does not take them', async () => {
    evaluatedRuns(3, 5);
    platform.evaluationsPerAnswer = 4;
    platform.detailsPerAnswer = 7;
    const { data, errors } = await gateway.graphql(
      '{ runs { edges { node { evaluations { step reliability { student { count } } } } } } }',
    );
    expect(errors).toEqual([]);
    expect(platform.requests('evaluations')).toHaveLength(4);
    expect(platform.requests('evaluationDetails')).toHaveLength(3);
    const { runs } = data as Answer;
    for (const { node } of runs.edges) {
      expect(node.evaluations).toEqual(
        [1, 2, 3, 4, 5].map((step) => ({ step, reliability: { student: [{ count: step }] } })),
      );
    }
  });

  it('are refused with more details than a request may have', async () => {
    evaluatedRuns(3, DETAIL_LIMITS.sections / 2);
    const { errors } = await gateway.graphql(
      '{ runs { edges { node { evaluations { reliability { student { count } } } } } } }',
    );
    expect(errors[0]).toMatchObject({
      extensions: { code: 'REQUEST.TOO_COMPLEX', details: { found: 300, limit: 200 } },
    });
    expect(platform.requests('evaluationDetails')).toEqual([]);
  });
});

describe('a figure', () => {
  it('that is infinite is null, and named', async () => {
    platform.addRuns(runRecord());
    const { fidelity, student } = evaluationRecord();
    platform.evaluations = [
      evaluationRecord({
        fidelity: { ...fidelity, predictiveKl: 'Infinity', reverseKl: null },
        student: { ...student, nll: 'Infinity' },
      }),
    ];
    const { data, errors } = await gateway.graphql(
      '{ run(id: "r-1") { evaluations { infinite fidelity { predictiveKl reverseKl } student { nll brier } teacher { nll } } } }',
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      run: {
        evaluations: [
          {
            infinite: ['fidelity.predictiveKl', 'student.nll'],
            fidelity: { predictiveKl: null, reverseKl: null },
            student: { nll: null, brier: 0.24 },
            teacher: { nll: 0.6 },
          },
        ],
      },
    });
  });
});

it.each([
  ['disagreement(first: 0) { total }', 'first', 'from 1 to 5000'],
  ['disagreement(first: 5001) { total }', 'first', 'from 1 to 5000'],
  ['perClass(first: 1001) { class }', 'first', 'from 1 to 1000'],
  ['perClass(from: -1) { class }', 'from', 'at least 0'],
])('%s is refused, naming the argument', async (field, argument, allowed) => {
  evaluatedRuns(1, 1);
  const { errors } = await gateway.graphql(`{ run(id: "r-0") { evaluations { ${field} } } }`);
  expect(errors).toMatchObject([
    {
      message: expect.stringContaining(allowed) as string,
      extensions: { code: 'REQUEST.INVALID', details: { issues: [{ field: argument }] } },
    },
  ]);
});
