import { ArtifactStore, connectBus } from '@fidelis/bus';
import { logitSubject } from '@fidelis/contracts';
import { datasetInfo } from '@fidelis/data';
import { decodeCheckpoint } from '@fidelis/distillation';
import { createModel } from '@fidelis/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningStack, smallSpec } from './running-stack.js';

describe('a run on the embedded stack', () => {
  let sut: RunningStack;

  beforeAll(async () => {
    sut = await RunningStack.start();
  });

  afterAll(async () => {
    await sut[Symbol.asyncDispose]();
  });

  it('goes from a spec to evaluations, and a second one of the same seed replays the stream to the same bits', async () => {
    const live = await sut.finished(await sut.startRun(smallSpec()));
    expect(live).toMatchObject({ state: 'completed', error: null, attempts: 1 });
    expect(live.frames).toEqual({ published: 3, consumed: 3, trained: 3, closed: true });
    expect(live.stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'teacher done',
      'stream done',
      'student done',
      'evaluation done',
    ]);
    const { producer, execution } = live.lineage;
    expect(execution?.mode).toBe(producer?.backend === 'tensorflow' ? 'graph' : 'eager');
    const [evaluation] = live.evaluations;
    expect(evaluation).toMatchObject({ set: 'test', final: true, n: 10_000 });
    expect(evaluation?.student.accuracy).toBeGreaterThan(0.5);
    expect(evaluation?.fidelity.top1Agreement).toBeGreaterThan(0.5);

    const replay = await sut.finished(await sut.startRun(smallSpec({ name: 'again' })));
    expect(replay.stages.slice(0, 2).map(({ reused }) => reused)).toEqual([true, true]);
    expect(replay.lineage).toEqual(live.lineage);
    expect(replay.evaluations).toEqual(live.evaluations);
  });

  it('trains on a sequence view, whose every batch the teacher scores', async () => {
    const view = {
      kind: 'sequence' as const,
      subset: { size: 640 },
      augmentation: [{ kind: 'random-shift' as const, maxPixels: 2 }],
    };
    const run = await sut.finished(await sut.startRun(smallSpec({ name: 'sequence', view })));
    expect(run).toMatchObject({ state: 'completed', error: null });
    // 640 samples in batches of 64, three epochs.
    expect(run.frames).toEqual({ published: 30, consumed: 30, trained: 30, closed: true });
    expect(run.progress).toMatchObject({ step: 30, steps: 30, epoch: 3 });
  });

  it('trains a perceptron, and evaluates after each epoch when asked to', async () => {
    const { student, ...rest } = smallSpec({ name: 'mlp' });
    const spec = {
      ...rest,
      student: { ...student, architecture: { name: 'mlp' as const, hiddenUnits: [32] } },
      evaluation: { sets: ['test' as const], everyEpochs: 1 },
    };
    const run = await sut.finished(await sut.startRun(spec));
    expect(run.state).toBe('completed');
    expect(run.evaluations.map(({ step, final }) => [step, final])).toEqual([
      [47, false],
      [94, false],
      [141, true],
    ]);
  });

  it('refuses a teacher that does not exist, and begins no run', async () => {
    const spec = smallSpec({ teacher: { id: 't-000000000000' }, name: 'of-nobody' });
    const answer = await sut.graphql('mutation ($spec: JSON!) { startRun(spec: $spec) { id } }', { spec });
    expect(answer.errors?.[0]?.extensions?.code).toBe('TEACHER.NOT_FOUND');
    const runs = await sut.graphql('{ runs(filter: { name: "of-nobody" }, first: 5) { totalCount } }');
    expect(runs.data).toEqual({ runs: { totalCount: 0 } });
  });

  it('trains a teacher on images that are changed anew in every epoch, which is another than without', async () => {
    const { teacher, ...rest } = smallSpec({ name: 'augmented' });
    if (!('train' in teacher)) throw new Error('the spec trains its teacher');
    const { architecture, train } = teacher;
    const augmented = { architecture, train: { ...train, epochs: 5, policy: 'baseline' as const } };
    const run = await sut.finished(await sut.startRun({ ...rest, teacher: augmented }));
    expect(run).toMatchObject({ state: 'completed', error: null });
    const plain = { architecture, train: { ...train, epochs: 5 } };
    const other = await sut.finished(await sut.startRun({ ...rest, teacher: plain }));
    expect(other.lineage.teacherDigest).not.toBe(run.lineage.teacherDigest);
  });

  it('that diverges says at which step, and names a checkpoint from before that can be gone on from', async () => {
    const { student, ...rest } = smallSpec({
      name: 'diverging',
      view: { kind: 'table', subset: { size: 60 } },
    });
    // One step an epoch, and a checkpoint after each.
    const recipe = { epochs: 50, batchSize: 60, optimizer: { learningRate: 1e4 } };
    const run = await sut.finished(await sut.startRun({ ...rest, student: { ...student, ...recipe } }));
    expect(run.state).toBe('failed');
    expect(run.error?.code).toBe('TRAINING.DIVERGED');
    const message = run.error?.message ?? '';
    const diverged = Number(/step (\d+) \(learning rate/.exec(message)?.[1]);
    const [, step, artifact = ''] =
      /the last good checkpoint is that of step (\d+), artifact ([0-9a-f]{64})$/.exec(message) ?? [];
    expect(run.error?.details).toMatchObject({
      step: diverged,
      checkpointStep: Number(step),
      checkpoint: artifact,
    });
    expect(Number(step)).toBeLessThan(diverged);

    const bus = await connectBus({ servers: sut.stack.natsUrl, name: 'reader' });
    const bytes = await new ArtifactStore(bus).get(artifact);
    await bus.drain();
    const model = createModel({ name: 'lenet5' }, datasetInfo('mnist').inputShape, 10);
    const { state, meta } = decodeCheckpoint(model, bytes);
    expect(state.step).toBe(Number(step) + 1);
    expect(meta).toMatchObject({ runId: run.id });
    expect(state.parameters.every(Number.isFinite)).toBe(true);
    expect(state.slots.flatMap((slot) => [...slot]).every(Number.isFinite)).toBe(true);
  });

  it('stops within moments when it is cancelled', async () => {
    const { student, ...rest } = smallSpec({ name: 'long' });
    const id = await sut.startRun({ ...rest, student: { ...student, epochs: 2_000 } });
    await sut.waitForRun(id, 'to train', ({ state, progress }) => state === 'training' && progress.step > 0);
    await sut.graphql('mutation ($id: ID!) { cancelRun(id: $id) { id } }', { id });
    const run = await sut.finished(id);
    expect(run).toMatchObject({ state: 'cancelled', error: null });
    const again = await sut.graphql('mutation ($id: ID!) { cancelRun(id: $id) { id } }', { id });
    expect(again.errors?.[0]?.extensions?.code).toBe('RUN.ALREADY_ENDED');
  });

  it('fails with its code when something that is no frame is on the subject, and leaves the worker alive', async () => {
    const { student, ...rest } = smallSpec({ name: 'foreign', seed: 8 });
    const view = { kind: 'sequence' as const, subset: { size: 640 }, augmentation: [] };
    const id = await sut.startRun({ ...rest, view, student: { ...student, epochs: 500 } });
    const { lineage } = await sut.waitForRun(id, 'to have a stream', (run) => run.lineage.streamKey !== null);
    const bus = await connectBus({ servers: sut.stack.natsUrl, name: 'intruder' });
    bus.publish(logitSubject(lineage.streamKey ?? ''), new TextEncoder().encode('no frame'));
    await bus.drain();
    const run = await sut.finished(id);
    expect(run.state).toBe('failed');
    expect(run.error?.code).toMatch(/^FRAME\.(INVALID|FOREIGN)$/);
    expect(sut.restartsOf('student-worker')).toBe(0);
    const next = await sut.finished(await sut.startRun(smallSpec({ name: 'after' })));
    expect(next.state).toBe('completed');
  });

  it('refuses a spec with an unknown field, and names it', async () => {
    const answer = await sut.graphql('mutation ($spec: JSON!) { startRun(spec: $spec) { id } }', {
      spec: { ...smallSpec(), colour: 'red' },
    });
    expect(answer.errors?.[0]).toMatchObject({ extensions: { code: 'SPEC.INVALID' } });
    expect(answer.errors?.[0]?.message).toContain('colour');
  });
});
