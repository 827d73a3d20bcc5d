import { metricsRpc } from '@fidelis/contracts';
import { evaluationRecord, runRecord, specInput, teacherRecord } from '@fidelis/gateway/fixtures';
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
  gateway = await startGateway(nats.url, { FIDELIS_GRAPHIQL: 'true' });
});

afterAll(async () => {
  await gateway?.stop();
  await fakes?.stop();
  await nats?.dispose();
});

beforeEach(() => platform.reset());

function numberedRuns(count: number): string[] {
  const runs = Array.from({ length: count }, (_, i) => runRecord({ id: `r-${i}` }));
  platform.addRuns(...runs);
  return runs.map(({ id }) => id);
}

describe('queries', () => {
  it('give a run with everything that it has', async () => {
    platform.addRuns(
      runRecord({
        error: { code: 'TRAINING.DIVERGED', message: 'loss is NaN', retryable: false, details: { step: 3 } },
      }),
    );
    const { data, errors } = await gateway.graphql(
      `query ($id: ID!) { run(id: $id) {
        id name state spec attempts correlationId createdAt startedAt endedAt
        stages { name state done total reused seconds startedAt }
        progress { step steps epoch epochs loss learningRate imagesPerSecond waitSeconds }
        lineage { dataset { name digest } teacherId teacherDigest streamKey weightsDigest producer { backend threads } teacherProducer { backend } execution { mode reason } }
        frames { published consumed trained closed }
        error { code message retryable details }
      } }`,
      { id: 'r-1' },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({ run: JSON.parse(JSON.stringify(platform.runs.get('r-1'))) as unknown });
  });

  it('page through the runs by cursor', async () => {
    const ids = numberedRuns(5);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await gateway.graphql(
        `query ($after: String) { runs(first: 2, after: $after) {
          edges { cursor node { id } } pageInfo { hasNextPage endCursor } totalCount } }`,
        { after },
      );
      const { runs } = data as {
        runs: {
          edges: { node: { id: string } }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
          totalCount: number;
        };
      };
      expect(runs.totalCount).toBe(5);
      seen.push(...runs.edges.map(({ node }) => node.id));
      after = runs.pageInfo.hasNextPage ? runs.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(ids);
  });

  it('pass the filter on, with twenty runs where no number is given', async () => {
    await gateway.graphql(
      '{ runs(filter: { state: training, name: "demo", teacherId: "t-1" }) { totalCount } }',
    );
    expect(platform.requests('list')).toEqual([
      { first: 20, state: 'training', name: 'demo', teacherId: 't-1' },
    ]);
  });

  it.each([1, 2, 3])(
    'ask once for the evaluations and once for the teachers of all runs (time %i)',
    async () => {
      const ids = numberedRuns(50);
      platform.evaluations = ids.flatMap((runId) => [
        evaluationRecord({ runId, id: `${runId}.test.1`, set: 'test' }),
        evaluationRecord({ runId, id: `${runId}.train-clean.1`, set: 'train-clean' }),
      ]);
      platform.teachers.set('t-0123456789ab', teacherRecord());
      const { data, errors } = await gateway.graphql(`{ runs(first: 50) { edges { node {
      id teacher { id spec } all: evaluations { id } evaluations(set: "test") { id fidelity { top1Agreement } }
    } } } }`);
      expect(errors).toEqual([]);
      expect(platform.requests('evaluations')).toEqual([{ runIds: ids }]);
      expect(platform.calls.map(({ method }) => method).sort()).toEqual(['evaluations', 'list', 'teacher']);
      const { edges } = (data as { runs: { edges: { node: Record<string, unknown> }[] } }).runs;
      expect(edges[7]?.node).toMatchObject({
        id: 'r-7',
        teacher: { id: 't-0123456789ab' },
        all: [{ id: 'r-7.test.1' }, { id: 'r-7.train-clean.1' }],
        evaluations: [{ id: 'r-7.test.1', fidelity: { top1Agreement: 0.97 } }],
      });
    },
  );

  it('ask for more runs than one call takes in several calls', async () => {
    numberedRuns(200);
    await gateway.graphql('{ runs(first: 200) { edges { node { evaluations { id } } } } }');
    expect(platform.requests('evaluations')).toHaveLength(1);
    expect(metricsRpc.evaluations.request.safeParse({ runIds: Array(201).fill('r') }).success).toBe(false);
  });

  it('give several teachers of several runs by one call, and null for one that is not there', async () => {
    const lineage = runRecord().lineage;
    platform.addRuns(
      runRecord({ id: 'r-1', lineage: { ...lineage, teacherId: 't-1' } }),
      runRecord({ id: 'r-2', lineage: { ...lineage, teacherId: 't-gone' } }),
      runRecord({ id: 'r-3', lineage: { ...lineage, teacherId: null } }),
    );
    platform.teachers.set('t-1', teacherRecord({ id: 't-1' }));
    const { data } = await gateway.graphql('{ runs { edges { node { teacher { id } } } } }');
    expect(data).toEqual({
      runs: {
        edges: [
          { node: { teacher: { id: 't-1' } } },
          { node: { teacher: null } },
          { node: { teacher: null } },
        ],
      },
    });
    expect(platform.calls.map(({ method }) => method)).toEqual(['list', 'teachers']);
  });

  it('give the teachers, one by its id, and the version', async () => {
    platform.teachers.set('t-1', teacherRecord({ id: 't-1' }));
    const { data, errors } = await gateway.graphql(
      '{ teachers { id state progress { done total } } teacher(id: "t-1") { weightsDigest } platform { version } }',
    );
    expect(errors).toEqual([]);
    expect(data).toMatchObject({
      teachers: [{ id: 't-1', state: 'ready' }],
      platform: { version: expect.stringMatching(/^\d+\.\d+\.\d+/) as unknown },
    });
  });
});

describe('mutations', () => {
  const START = 'mutation ($spec: JSON!) { startRun(spec: $spec) { id state spec } }';

  it('start a run from a spec, with its defaults filled in and the correlation id of the request', async () => {
    const { data, errors, headers } = await gateway.graphql(
      START,
      { spec: specInput },
      { 'x-correlation-id': 'from-the-cli' },
    );
    expect(errors).toEqual([]);
    expect(headers.get('x-correlation-id')).toBe('from-the-cli');
    expect(data).toMatchObject({ startRun: { id: 'r-new', state: 'preparing' } });
    const [call] = platform.calls;
    expect(call).toMatchObject({
      correlationId: 'from-the-cli',
      request: {
        correlationId: 'from-the-cli',
        spec: { codec: 'f16', view: { kind: 'table' }, student: { loss: { temperature: 4 } } },
      },
    });
  });

  it('take a spec that is written out in the document', async () => {
    const { errors } = await gateway.graphql(`mutation { startRun(spec: {
      name: "inline", dataset: "mnist", teacher: { id: "t-0123456789ab" },
      student: { architecture: "lenet5", epochs: 1, batchSize: 128, optimizer: { learningRate: 0.01 } }
    }) { id } }`);
    expect(errors).toEqual([]);
    expect(platform.requests('start')).toMatchObject([{ spec: { name: 'inline', seed: 0 } }]);
  });

  it('name every field of a spec that is wrong, and start nothing', async () => {
    const spec = { ...specInput, epoch: 3, student: { ...specInput.student, epochs: -1, tau: 4 } };
    const { errors } = await gateway.graphql(START, { spec });
    expect(errors).toHaveLength(1);
    const [error] = errors;
    expect(error?.extensions.code).toBe('SPEC.INVALID');
    const issues = error?.extensions.details?.['issues'] as { field: string; problem: string }[];
    expect(issues).toContainEqual({ field: 'epoch', problem: 'unknown field' });
    expect(issues).toContainEqual({ field: 'student.tau', problem: 'unknown field' });
    expect(issues.map(({ field }) => field)).toContain('student.epochs');
    expect(platform.calls).toEqual([]);
  });

  it('name an unknown field of the teacher, which is one of two forms', async () => {
    const teacher = { ...specInput.teacher, train: { ...specInput.teacher.train, epoch: 3 } };
    const { errors } = await gateway.graphql(START, { spec: { ...specInput, teacher } });
    expect(errors[0]?.extensions.details?.['issues']).toEqual([
      { field: 'teacher.train.epoch', problem: 'unknown field' },
    ]);
  });

  it.each(['a string', 3, [], null])('refuse a spec that is %j', async (spec) => {
    const { errors } = await gateway.graphql(START, { spec });
    expect(errors[0]?.extensions.code).toBe(spec === null ? 'REQUEST.INVALID' : 'SPEC.INVALID');
  });

  it('cancel a run', async () => {
    platform.addRuns(runRecord());
    const { data } = await gateway.graphql('mutation { cancelRun(id: "r-1") { state } }');
    expect(data).toEqual({ cancelRun: { state: 'cancelled' } });
  });
});

describe('errors', () => {
  it.each([1, 2, 3])("keep the service's code, and the place in the answer (time %i)", async () => {
    const { status, data, errors } = await gateway.graphql('{ run(id: "r-none") { id } }');
    expect(status).toBe(200);
    expect(data).toEqual({ run: null });
    expect(errors).toMatchObject([
      {
        message: 'no run has the id r-none',
        path: ['run'],
        extensions: { code: 'RUN.NOT_FOUND', retryable: false },
      },
    ]);
  });

  it('have indices as numbers in their paths', async () => {
    numberedRuns(2);
    const { errors } = await gateway.graphql(
      '{ runs { edges { node { evaluations(set: "tset") { id } } } } }',
    );
    expect(errors[0]).toMatchObject({
      path: ['runs', 'edges', 0, 'node', 'evaluations'],
      extensions: { code: 'REQUEST.INVALID' },
    });
  });

  it.each([1, 2, 3])('do not show what went wrong inside (time %i)', async () => {
    // Step is an integer for GraphQL: a record that breaks its contract's promise.
    platform.addRuns(runRecord({ progress: { ...runRecord().progress, step: 2 ** 40 } }));
    const { errors } = await gateway.graphql(
      '{ run(id: "r-1") { progress { step } } }',
      {},
      { 'x-correlation-id': 'c-9' },
    );
    expect(errors[0]?.extensions).toEqual({ code: 'INTERNAL', retryable: false });
    expect(errors[0]?.message).toContain('c-9');
    expect(JSON.stringify(errors)).not.toMatch(/Int cannot|at .*\.js/);
  });

  it.each([
    ['a syntax error', '{ run(', {}],
    ['an unknown field', '{ run(id: "r-1") { nmae } }', {}],
    ['an unknown argument', '{ runs(frist: 3) { totalCount } }', {}],
    ['an unknown operation', 'query A { platform { version } } query B { platform { version } }', {}],
    ['a missing variable', 'query ($id: ID!) { run(id: $id) { id } }', {}],
    ['a variable of the wrong type', 'query ($n: Int) { runs(first: $n) { totalCount } }', { n: 'two' }],
    ['a foreign cursor', '{ runs(after: "r-1") { totalCount } }', {}],
    ['no document', '', {}],
  ])("of a request with %s are the request's", async (_, query, variables) => {
    for (let time = 1; time <= 3; time += 1) {
      const { errors, data } = await gateway.graphql(query, variables);
      expect(errors[0]?.extensions.code, JSON.stringify(errors)).toBe('REQUEST.INVALID');
      expect(data).toBeNull();
    }
  });

  it.each([
    ['nests too deep', `{ runs { edges { node { ${'teacher { '.repeat(6)} id ${'} '.repeat(6)} } } } }`],
    [
      'has too many aliases',
      `{ runs { ${Array.from({ length: 31 }, (_, i) => `a${i}: totalCount`).join(' ')} } }`,
    ],
    ['has too many tokens', `{ platform { ${'version '.repeat(2_100)} } }`],
    ['is too long', `{ platform { version } } # ${'x'.repeat(40_000)}`],
    ['wants too many runs', '{ runs(first: 201) { totalCount } }'],
    ['does not fit into the body', `# ${'x'.repeat(300_000)}`],
  ])('say REQUEST.TOO_COMPLEX of a document that %s', async (_, query) => {
    const { errors } = await gateway.graphql(query);
    expect(errors[0]?.extensions.code, JSON.stringify(errors)).toBe('REQUEST.TOO_COMPLEX');
    expect(platform.calls).toEqual([]);
  });

  it('come as GraphQL for a body that is not JSON', async () => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'REQUEST.INVALID' } }] });
  });
});

describe('pages from elsewhere', () => {
  const mutation = 'mutation { cancelRun(id: "r-1") { id } }';

  it.each([
    ['application/x-www-form-urlencoded', new URLSearchParams({ query: mutation }).toString()],
    ['text/plain', JSON.stringify({ query: mutation })],
  ])('cannot send a mutation as a form does, with %s', async (type, body) => {
    platform.addRuns(runRecord());
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(platform.calls).toEqual([]);
  });

  it('cannot send a mutation in a link', async () => {
    const response = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(mutation)}`);
    expect(response.status).toBe(405);
    expect(platform.calls).toEqual([]);
  });

  it('get no leave to read an answer', async () => {
    const { headers } = await gateway.graphql(
      '{ platform { version } }',
      {},
      { origin: 'http://evil.example' },
    );
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the rest of the door', () => {
  it('makes a correlation id where none, or none that is fit, was given', async () => {
    const first = await gateway.graphql('{ platform { version } }');
    const second = await gateway.graphql('{ platform { version } }', {}, { 'x-correlation-id': 'a b' });
    for (const { headers } of [first, second])
      expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers to introspection', async () => {
    const { data } = await gateway.graphql('{ __schema { queryType { name } } }');
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  });

  it('serves GraphiQL with everything inline', async () => {
    const response = await fetch(`${gateway.url}/graphiql`);
    const page = await response.text();
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="(https?:)?\/\//);
    expect(page).toContain('"endpoint":"/graphql"');
  });

  it('serves no GraphiQL unless it is asked for', async () => {
    const plain = await startGateway(nats.url);
    try {
      expect((await fetch(`${plain.url}/graphiql`)).status).toBe(404);
    } finally {
      await plain.stop();
    }
  });

  it('is ready while the bus is, and measures its calls', async () => {
    await gateway.graphql('{ teachers { id } }');
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/fidelis_rpc_duration_seconds_count\{method="teacher.list",outcome="ok"\} \d/);
  });
});
