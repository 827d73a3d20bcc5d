import path from 'node:path';
import { sampleSources, samplesOfView, writeArchive } from '@fidelis/archive';
import { inputDigest, partition, streamKey, type LogitFrame, type ViewSpec } from '@fidelis/contracts';
import { createSequenceView, datasetRef, loadDataset, type SequenceView } from '@fidelis/data';
import { createTemporaryDirectory, type TemporaryDirectory } from '@fidelis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchiveLogits } from './archive-logits.js';
import type { SampleRows } from './logit-source.js';

const STEPS = 6;
const CLASSES = 10;
const BATCH = 8;
const TEACHER = 't-0123456789ab';
const DIGEST = '0a'.repeat(32);

describe('ArchiveLogits', () => {
  let directory: TemporaryDirectory;
  let key: string;
  let sequence: SequenceView;

  const values = (step: number): Float32Array =>
    Float32Array.from({ length: BATCH * CLASSES }, (_, at) => step + at / 64);

  const samplesAt = (step: number, place = step): SampleRows => {
    const { ids, inputs } = sequence.batch(step);
    return { split: 'train', ids, inputs, rows: ids.length, place: { key, step: place } };
  };

  beforeAll(async () => {
    directory = await createTemporaryDirectory('archive-logits');
    const dataset = await loadDataset('mnist');
    const view = {
      ...{ kind: 'sequence', dataset: datasetRef(dataset), split: 'train', seed: 3, batchSize: BATCH },
      subset: { size: 40, stratified: true, seed: 0 },
      augmentation: [],
    } satisfies ViewSpec;
    sequence = createSequenceView(dataset, view);
    key = streamKey(DIGEST, sequence.spec, 'f32');
    const { parts, partRows } = partition(BATCH, 1, CLASSES, 'f32');
    const header = {
      ...{
        streamKey: key,
        teacherId: TEACHER,
        teacherDigest: DIGEST,
        view: sequence.spec,
        codec: 'f32' as const,
      },
      samples: [...sampleSources(sequence.spec, () => dataset.splits.train.size)],
      ...{ members: 1, classes: CLASSES, parts, partRows, mixing: false, producer: null, steps: STEPS },
    };
    const frames = Array.from({ length: STEPS }, (_, step): LogitFrame => ({
      ...{ codec: 'f32', part: 0, parts, streamKey: key, step, rows: BATCH, members: 1, classes: CLASSES },
      inputDigest: inputDigest(sequence.batch(step).inputs),
      values: values(step),
    }));
    async function* all(): AsyncGenerator<LogitFrame> {
      await Promise.resolve();
      yield* frames;
    }
    const train = Float32Array.from({ length: dataset.splits.train.size * CLASSES }, (_, at) => at % 97);
    await writeArchive(path.join(directory.path, 'archive'), header, all(), samplesOfView(sequence), {
      predictions: [{ split: 'train', values: train }],
    });
  });

  afterAll(() => directory.remove());

  const open = (): Promise<ArchiveLogits> =>
    ArchiveLogits.open(TEACHER, path.join(directory.path, 'archive'));

  it('gives each step as it was stored, in order and from any step again', async () => {
    const sut = await open();
    for (const step of [0, 1, 2, 5, 0, 3]) expect(await sut.logits(samplesAt(step))).toEqual(values(step));
  });

  it('refuses inputs other than those that were scored, naming the step', async () => {
    const sut = await open();
    await expect(sut.logits(samplesAt(1, 2))).rejects.toMatchObject({
      code: 'ARCHIVE.MISMATCH',
      details: { step: 2, here: inputDigest(sequence.batch(1).inputs) },
    });
    // And goes on with what is right.
    expect(await sut.logits(samplesAt(2))).toEqual(values(2));
  });

  it('has no steps beyond the stored ones, and none of other streams', async () => {
    const sut = await open();
    await expect(sut.logits(samplesAt(0, STEPS))).rejects.toMatchObject({
      code: 'STREAM.GONE',
      details: { firstStep: 0, endStep: STEPS },
    });
    const other = { ...samplesAt(0), place: { key: '0'.repeat(16), step: 0 } };
    await expect(sut.logits(other)).rejects.toMatchObject({ code: 'STREAM.GONE' });
  });

  it('tells of whole splits what was exported with it, and that it knows nothing of others', async () => {
    const sut = await open();
    const asked = {
      split: 'train' as const,
      ids: Uint32Array.of(3, 40),
      inputs: new Float32Array(),
      rows: 2,
    };
    const row = (id: number): number[] => Array.from({ length: CLASSES }, (_, c) => (id * CLASSES + c) % 97);
    expect([...(await sut.logits(asked))]).toEqual([...row(3), ...row(40)]);
    await expect(sut.logits({ ...asked, split: 'test' })).rejects.toMatchObject({ code: 'TEACHER.FAILED' });
  });
});
