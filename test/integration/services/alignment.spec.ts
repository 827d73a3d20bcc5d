import {
  logitSubject,
  streamKey,
  type ErrorCode,
  type ErrorWire,
  type SequenceViewSpec,
  type TableViewSpec,
  type ViewSpec,
} from '@fidelis/contracts';
import { datasetRef, loadDataset, type Dataset } from '@fidelis/data';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  layoutOf,
  messagesOf,
  publish,
  stepsOf,
  studentJob,
  TestWorker,
  type JobChanges,
  type Layout,
  type ScoredRows,
  type Steps,
} from './worker-fixture.js';

const BATCH = 64;
/** Four steps of 64, 64, 64 and 8 rows. */
const SUBSET = { size: 200, stratified: false, seed: 0 } as const;
const STEPS = 4;
const OTHER_TEACHER = 'ad'.repeat(32);

/** Rows of the same step in another order. */
function turnedAround({ ids, inputs }: ScoredRows): ScoredRows {
  const length = inputs.length / ids.length;
  const turned = new Float32Array(inputs.length);
  ids.forEach((_, row) => {
    turned.set(inputs.subarray(row * length, (row + 1) * length), (ids.length - 1 - row) * length);
  });
  return { ids: ids.slice().reverse(), inputs: turned };
}

/** The same dataset, as its digest says, with one pixel changed. */
function damagedCopy(dataset: Dataset, sample: number): Dataset {
  const { train } = dataset.splits;
  // Not slice(): of a Buffer it is no copy.
  const inputs = Uint8Array.from(train.inputs);
  const pixel = sample * 28 * 28 + 400;
  inputs[pixel] = (inputs[pixel] ?? 0) ^ 1;
  return { ...dataset, splits: { ...dataset.splits, train: { ...train, inputs } } };
}

/**
 * Whatever can make a teacher's answers belong to other inputs than the student's, through what a frame passes in earnest: the log on a NATS server,
 * the worker, and its training process.
 */
describe('a student whose teacher scored something else', () => {
  let nats: TestNats;
  let worker: TestWorker;
  let dataset: Dataset;
  let sequence: SequenceViewSpec;
  let table: TableViewSpec;
  let runs = 0;

  beforeAll(async () => {
    nats = await startTestNats();
    worker = await TestWorker.start(nats.url);
    dataset = await loadDataset('mnist');
    const base = { dataset: datasetRef(dataset), split: 'train', subset: SUBSET } as const;
    const augmentation = [{ kind: 'horizontal-flip', probability: 0.5 }] as const;
    sequence = { kind: 'sequence', ...base, augmentation: [...augmentation], seed: 1, batchSize: BATCH };
    table = { kind: 'table', ...base, subset: { ...SUBSET, size: 1_500 } };
  });
  afterAll(async () => {
    await worker?.close();
    await nats?.dispose();
  });

  /** A stream of its own: each case has another teacher, so that none reads what another has left. */
  const teacher = (): string => (runs += 1).toString(16).padStart(64, '0');

  interface Case {
    /** That the student trains on. */
    readonly view?: ViewSpec;
    /** What the teacher has scored. */
    readonly steps: Steps;
    /** What it says that it has scored. */
    readonly said?: ViewSpec;
    /** How it cut it, and what it called it. */
    readonly frames?: Partial<Layout>;
    readonly job?: JobChanges;
  }

  const start = async ({ view = sequence, steps, said = view, frames = {}, job = {} }: Case) => {
    const teacherDigest = teacher();
    const runId = `r-${runs}`;
    const layout = layoutOf(view, view.kind === 'table' ? 1_024 : BATCH, teacherDigest);
    const count = view.kind === 'table' ? 2 : STEPS;
    await publish(worker.log, { ...layout, ...frames }, steps, [0, count]);
    const { stream, ...changes } = job;
    await worker.enqueue(
      studentJob(runId, view, layout, {
        ...{ epochs: 1, batchSize: BATCH, teacherDigest },
        ...changes,
        stream: { steps: count, view: said, ...stream },
      }),
    );
    return { runId, layout };
  };

  /** Names the step and both sides, and has trained nothing from that step on. */
  const expectRefusal = async (
    runId: string,
    {
      code,
      step,
      names,
    }: { readonly code: ErrorCode; readonly step: number; readonly names: readonly string[] },
  ): Promise<ErrorWire> => {
    const error = await worker.failure(runId);
    expect(error).toMatchObject({ code, details: { step } });
    for (const name of names) expect(error.message).toContain(name);
    const position = await worker.position(runId);
    expect(position?.trainedStep).toBeLessThan(step);
    return error;
  };

  const misaligned = async (
    found: Case,
    { step, names }: { readonly step: number; readonly names: readonly string[] },
  ): Promise<void> => {
    const { runId, layout } = await start(found);
    const error = await expectRefusal(runId, { code: 'STREAM.MISALIGNED', step, names });
    const view = found.view ?? sequence;
    const sides = error.details as { student: { digest: string }; teacher: { digest: string } };
    expect(sides).toMatchObject({
      student: { view },
      teacher: { streamKey: layout.key, view: found.said ?? view },
    });
    expect(sides.student.digest).not.toBe(sides.teacher.digest);
    const unit = view.kind === 'table' ? 'chunk' : 'step';
    for (const name of [`${unit} ${step}:`, layout.key, sides.student.digest, sides.teacher.digest])
      expect(error.message).toContain(name);
  };

  it('learns from one that scored the same, which shows that the others fail for their reason', async () => {
    for (const view of [sequence, table]) {
      const { runId } = await start({ view, steps: stepsOf(view, dataset) });
      const frames = view.kind === 'table' ? 2 : STEPS;
      expect(await worker.completed(runId)).toMatchObject({
        framesConsumed: frames,
        framesTrained: frames,
        framesNeeded: frames,
      });
    }
  });

  it('stops at another seed', async () => {
    const said = { ...sequence, seed: 2 };
    await misaligned(
      { steps: stepsOf(said, dataset), said },
      { step: 0, names: ['seed is 2 there, 1 here'] },
    );
  });

  it('stops at another augmentation', async () => {
    const said: ViewSpec = { ...sequence, augmentation: [{ kind: 'horizontal-flip', probability: 0.25 }] };
    await misaligned(
      { steps: stepsOf(said, dataset), said },
      { step: 0, names: ['augmentation is', '0.25', '0.5'] },
    );
  });

  it('stops at other bytes of the dataset, at the step where one of them is another', async () => {
    const own = stepsOf(sequence, dataset);
    const step = 2;
    const sample = own(step).ids[5] ?? 0;
    await misaligned(
      { steps: stepsOf(sequence, damagedCopy(dataset, sample)) },
      { step, names: ['the bytes of their datasets differ'] },
    );
  });

  it('stops at another batch size', async () => {
    const said = { ...sequence, batchSize: 32 };
    await misaligned(
      { steps: stepsOf(said, dataset), said },
      { step: 0, names: ['batchSize is 32 there, 64 here'] },
    );
  });

  it('stops at rows in another order, and at steps in another order', async () => {
    const own = stepsOf(sequence, dataset);
    await misaligned(
      { steps: (step) => (step === 1 ? turnedAround(own(step)) : own(step)) },
      { step: 1, names: ['the steps are out of order'] },
    );
    await misaligned(
      { steps: (step) => own(step === 1 ? 2 : step === 2 ? 1 : step) },
      { step: 1, names: ['the steps are out of order'] },
    );
  });

  it('stops at a table of another subset, of other bytes, or with its chunks in another order', async () => {
    const own = stepsOf(table, dataset);
    const said: ViewSpec = { ...table, subset: { ...SUBSET, size: 1_500, seed: 9 } };
    await misaligned(
      { view: table, steps: stepsOf(said, dataset), said },
      { step: 0, names: ['subset is', '"seed":9'] },
    );
    const sample = own(1).ids[3] ?? 0;
    await misaligned(
      { view: table, steps: stepsOf(table, damagedCopy(dataset, sample)) },
      { step: 1, names: ['the bytes of their datasets differ'] },
    );
    const chunk = own(0);
    await misaligned(
      { view: table, steps: (step) => (step === 0 ? turnedAround(chunk) : own(step)) },
      { step: 0, names: ['the steps are out of order'] },
    );
  });

  it('stops when the teacher goes on one step off where the student resumes', async () => {
    const own = stepsOf(sequence, dataset);
    const teacherDigest = teacher();
    const layout = layoutOf(sequence, BATCH, teacherDigest);
    const runId = 'r-resumed';
    const job = studentJob(runId, sequence, layout, {
      ...{ epochs: 2, batchSize: BATCH, teacherDigest, stream: { steps: 2 * STEPS } },
    });
    await publish(worker.log, layout, own, [0, STEPS]);
    await worker.enqueue(job);
    await waitFor(async () => (await worker.position(runId))?.checkpointStep === STEPS - 1, {
      what: 'a checkpoint',
    });
    await worker.close();
    worker = await TestWorker.start(nats.url);
    // What belongs to step 5 is called step 4, and so on.
    await publish(worker.log, layout, (step) => own(step + 1), [STEPS, 2 * STEPS]);
    await expectRefusal(runId, {
      code: 'STREAM.MISALIGNED',
      step: STEPS,
      names: [`step ${STEPS}:`, layout.key],
    });
    expect(await worker.position(runId)).toMatchObject({ attempts: 1, trainedStep: STEPS - 1 });
  });

  describe('because it is another teacher', () => {
    it('stops at frames of one that took its place under its name', async () => {
      const own = stepsOf(sequence, dataset);
      const digest = teacher();
      const runId = 'r-replaced';
      const layout = layoutOf(sequence, BATCH, digest);
      const replaced = streamKey(OTHER_TEACHER, sequence, 'f32');
      await publish(worker.log, layout, own, [0, 2]);
      for (const step of [2, 3]) {
        const messages = messagesOf({ ...layout, key: replaced }, step, own(step));
        expect(await worker.log.append(layout.key, layout.parts, step, messages)).toBe('stored');
      }
      await worker.enqueue(
        studentJob(runId, sequence, layout, {
          ...{ epochs: 1, batchSize: BATCH, teacherDigest: digest, stream: { steps: STEPS } },
        }),
      );
      await expectRefusal(runId, { code: 'FRAME.FOREIGN', step: 2, names: [layout.key, replaced, 'step 2'] });
    });

    it('does not begin on a stream that is another than that of its teacher over its view', async () => {
      const other = layoutOf(sequence, BATCH, OTHER_TEACHER);
      const { runId, layout } = await start({
        steps: stepsOf(sequence, dataset),
        job: { teacherDigest: OTHER_TEACHER },
      });
      await expectRefusal(runId, {
        code: 'STREAM.MISALIGNED',
        step: 0,
        names: [layout.key, other.key, OTHER_TEACHER],
      });
    });

    it('stops at what another teacher wrote to the subject', async () => {
      const own = stepsOf(sequence, dataset);
      const digest = teacher();
      const runId = 'r-intruder';
      const layout = layoutOf(sequence, BATCH, digest);
      const intruder = { ...layout, key: streamKey(OTHER_TEACHER, sequence, 'f32') };
      await publish(worker.log, layout, own, [0, 1]);
      for (const message of messagesOf(intruder, 1, own(1)))
        await worker.service.connection.request(logitSubject(layout.key), message);
      await worker.enqueue(
        studentJob(runId, sequence, layout, {
          ...{ epochs: 1, batchSize: BATCH, teacherDigest: digest, stream: { steps: STEPS } },
        }),
      );
      await expectRefusal(runId, {
        code: 'FRAME.FOREIGN',
        step: 1,
        names: [layout.key, intruder.key, 'step 1', 'somebody else writes to its subject'],
      });
    });

    it('stops at a step that came twice, where another one belongs', async () => {
      const own = stepsOf(sequence, dataset);
      const digest = teacher();
      const runId = 'r-twice';
      const layout = layoutOf(sequence, BATCH, digest);
      await publish(worker.log, layout, own, [0, 2]);
      for (const message of messagesOf(layout, 1, own(1)))
        await worker.service.connection.request(logitSubject(layout.key), message);
      await worker.enqueue(
        studentJob(runId, sequence, layout, {
          ...{ epochs: 1, batchSize: BATCH, teacherDigest: digest, stream: { steps: STEPS } },
        }),
      );
      const error = await worker.failure(runId);
      expect(error).toMatchObject({ code: 'FRAME.FOREIGN', details: { step: 1 } });
      expect(error.message).toMatch(/holds part 0 of 1 of step 1, where part 0 of 1 of step 2 belongs/);
    });
  });

  describe('of other questions', () => {
    it('stops at frames with other classes than its head', async () => {
      const { runId } = await start({ steps: stepsOf(sequence, dataset), frames: { classes: 9 } });
      await expectRefusal(runId, { code: 'FRAME.INVALID', step: 0, names: ['step 0', 'classes 9', '10'] });
    });

    it('stops at frames with other members than it combines', async () => {
      const { runId } = await start({ steps: stepsOf(sequence, dataset), frames: { members: 2 } });
      await expectRefusal(runId, { code: 'FRAME.INVALID', step: 0, names: ['step 0', 'members 2', '1'] });
    });

    it('does not begin with a head that has other classes than the stream, or than the dataset', async () => {
      const narrow = await start({
        steps: stepsOf(sequence, dataset),
        frames: { classes: 7 },
        job: { stream: { classes: 7 } },
      });
      await expectRefusal(narrow.runId, {
        code: 'MODEL.MISMATCH',
        step: 0,
        names: ['7 classes', '10 classes', 'step 0'],
      });
      const wide = await start({
        steps: stepsOf(sequence, dataset),
        frames: { classes: 12 },
        job: { classes: 12, stream: { classes: 12 } },
      });
      await expectRefusal(wide.runId, {
        code: 'MODEL.MISMATCH',
        step: 0,
        names: ['12 classes', '10 classes', 'step 0'],
      });
    });
  });
});
