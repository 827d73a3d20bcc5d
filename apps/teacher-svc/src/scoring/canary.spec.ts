import { startBackend } from '@fidelis/compute';
import { FidelisError, sha256Hex } from '@fidelis/contracts';
import { EAGER } from '@fidelis/distillation';
import {
  createModel,
  decodeWeights,
  encodeWeights,
  initialWeights,
  unflatten,
  unflattenBuffers,
  type ModelWeights,
} from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { canaryRows } from './canary.js';
import { loadTeacher } from './load-teacher.js';
import type { SampleRows } from './logit-source.js';

const KEY = '0123456789abcdef';
const TEACHER = 't-0123456789ab';
const SHAPE = { height: 32, width: 32, channels: 3 };
const CLASSES = 10;
const ROWS = 8;
/** Normalises by the batch: what it says of an image depends on its neighbours where it is left in train mode. */
const architecture = { name: 'preresnet20' } as const;

const model = createModel(architecture, SHAPE, CLASSES);
const file = encodeWeights(model, initialWeights(model, 3));
const samples: SampleRows = {
  split: 'train',
  ids: Uint32Array.from({ length: ROWS }, (_, row) => 100 + row),
  inputs: Float32Array.from({ length: ROWS * 3_072 }, (_, i) => Math.sin(i * 0.7 + Math.floor(i / 3_072))),
  rows: ROWS,
};
const [checked = 0] = canaryRows(KEY, 7, ROWS, true);

/** What a teacher says whose code, or weights, are not what they should be. */
function logits(mode: 'train' | 'eval', weights: ModelWeights): Float32Array {
  return tf.tidy(() => {
    const parameters = unflatten(model, tf.tensor1d(weights.parameters));
    const buffers = unflattenBuffers(model, tf.tensor1d(weights.buffers));
    const inputs = tf.tensor4d(samples.inputs, [ROWS, 32, 32, 3]);
    return model.forward({ parameters, buffers, mode }, inputs).logits.dataSync<'float32'>().slice();
  });
}

describe('the canary', () => {
  let sut: ReturnType<typeof loadTeacher>;
  let first = true;

  beforeAll(async () => {
    await startBackend({ preference: 'auto', threads: 1 });
    const members = [{ digest: sha256Hex(file), weights: file }];
    const teacher = { kind: 'models', architecture, members } as const;
    sut = loadTeacher({ teacherId: TEACHER, teacher, classes: CLASSES }, SHAPE, EAGER);
  });

  const check = (values: Float32Array): number =>
    sut.canary.check({ key: KEY, step: 7, first, samples, values });
  const alarm = (values: Float32Array): FidelisError => {
    try {
      check(values);
    } catch (error) {
      if (FidelisError.is(error)) return error;
      throw error;
    }
    throw new Error('the canary was content');
  };

  it('is content with the teacher as it is stored, also in batches of another size', () => {
    expect(check(sut.source.logits(samples))).toBe(1);
    expect(check(logits('eval', decodeWeights(model, file)))).toBe(1);
  });

  it('names a teacher that was left in train mode', () => {
    const values = logits('train', decodeWeights(model, file));
    const { code, message, details } = alarm(values);
    expect(code).toBe('TEACHER.CANARY');
    expect(message).toMatch(
      new RegExp(`teacher ${TEACHER} .*step 7 of logit stream ${KEY}.*train mode`, 's'),
    );
    const row = values.subarray(checked * CLASSES, (checked + 1) * CLASSES);
    expect(details).toMatchObject({
      ...{ teacherId: TEACHER, key: KEY, step: 7, sampleId: 100 + checked, member: 0 },
      logits: [...row],
      expected: [...logits('eval', decodeWeights(model, file))]
        .slice(checked * CLASSES, (checked + 1) * CLASSES)
        .map((value) => expect.closeTo(value, 3) as unknown),
    });
    expect(details['largestDifference']).toBeGreaterThan(details['tolerance'] as number);
  });

  it.each([
    ['one parameter', (weights: ModelWeights) => (weights.parameters[weights.parameters.length - 3] = 5)],
    ['one running statistic', (weights: ModelWeights) => weights.buffers.fill(2, 0, 16)],
  ])('names a teacher of which %s was changed', (_, change) => {
    const weights = decodeWeights(model, file);
    change(weights);
    expect(alarm(logits('eval', weights))).toMatchObject({ code: 'TEACHER.CANARY' });
  });

  it('does not follow the teacher that it watches: they share nothing', () => {
    const honest = sut.source.logits(samples);
    for (const weights of weightsOf(sut.source)) {
      weights.parameters.fill(0.5);
      weights.buffers.fill(0.5);
    }
    expect(alarm(sut.source.logits(samples))).toMatchObject({ code: 'TEACHER.CANARY' });
    expect(check(honest)).toBe(1);
  });

  it('takes no number for a wrong one', () => {
    expect(alarm(new Float32Array(ROWS * CLASSES).fill(Number.NaN))).toMatchObject({
      code: 'TEACHER.CANARY',
    });
  });

  it('refuses weights that are not those of their digest', () => {
    const changed = file.slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 0x40;
    const members = [{ digest: sha256Hex(file), weights: changed }];
    expect(() =>
      loadTeacher(
        { teacherId: TEACHER, teacher: { kind: 'models', architecture, members }, classes: CLASSES },
        SHAPE,
        EAGER,
      ),
    ).toThrow(expect.objectContaining({ code: 'ARTIFACT.CORRUPT' }) as Error);
  });

  it('looks at nothing where chance does not say so', () => {
    first = false;
    expect(canaryRows(KEY, 7, ROWS, false)).toEqual([]);
    expect(check(new Float32Array(ROWS * CLASSES))).toBe(0);
    first = true;
  });
});

describe('the rows that a canary looks at', () => {
  it('are one in a thousand, the same ones every time, and one at the start', () => {
    const rows = (step: number): number[] => canaryRows(KEY, step, 128, false);
    const counts = Array.from({ length: 4_000 }, (_, step) => rows(step).length);
    const total = counts.reduce((sum, count) => sum + count, 0);
    // 512 are expected; 5 standard deviations are 113.
    expect(total).toBeGreaterThan(400);
    expect(total).toBeLessThan(625);
    expect(rows(11)).toEqual(rows(11));
    expect(canaryRows(KEY, 0, 128, true)).toHaveLength(1);
    expect(canaryRows(KEY, 5, 5_000, false)).toHaveLength(5);
  });

  it('are anywhere in the step', () => {
    const places = Array.from({ length: 200 }, (_, step) => canaryRows(KEY, step, 10, true)[0]);
    expect(new Set(places).size).toBe(10);
  });
});

/** The weights in the hands of the teacher that answers. */
function weightsOf(source: object): readonly ModelWeights[] {
  return (source as { readonly weights: readonly ModelWeights[] }).weights;
}
