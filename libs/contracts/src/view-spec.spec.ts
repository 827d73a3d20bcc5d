import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { subsetSchema, subsetSize } from './subset-spec.js';
import {
  labelsUndefined,
  otherDatasets,
  resolveView,
  viewSpecFieldSchema,
  viewSpecSchema,
} from './view-spec.js';

const refOf = (name: string): { name: string; digest: string } => ({ name, digest: 'd'.repeat(64) });
const sources = { dataset: refOf('cifar'), split: 'train', seed: 3, batchSize: 128, refOf } as const;
const issues = (value: unknown): string[] =>
  viewSpecFieldSchema
    .safeParse(value)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('a view in a spec', () => {
  it('with a policy is the view with its augmentations', () => {
    const named = viewSpecFieldSchema.parse({ kind: 'sequence', policy: 'mixup' });
    const listed = viewSpecFieldSchema.parse({
      kind: 'sequence',
      augmentation: [{ kind: 'crop' }, { kind: 'horizontal-flip' }, { kind: 'mixup' }],
    });
    expect(resolveView(named, sources)).toEqual(resolveView(listed, sources));
  });

  it('names the other datasets, whose digests become part of the view', () => {
    const field = viewSpecFieldSchema.parse({
      kind: 'sequence',
      policy: 'out-of-distribution',
      append: { dataset: 'svhn', size: 20_000 },
    });
    expect(otherDatasets(field)).toEqual(['svhn']);
    const view = resolveView(field, sources);
    expect(viewSpecSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({
      append: { dataset: refOf('svhn'), split: 'train', size: 20_000, seed: 0 },
      seed: 3,
      batchSize: 128,
    });
  });

  it('of the first release keeps its canonical JSON, which its stream is named after', () => {
    const field = viewSpecFieldSchema.parse({
      kind: 'sequence',
      subset: { size: 640 },
      augmentation: [{ kind: 'random-shift', maxPixels: 2 }],
    });
    const digest = 'd'.repeat(64);
    expect(canonicalJson(resolveView(field, sources))).toBe(
      `{"augmentation":[{"kind":"random-shift","maxPixels":2}],"batchSize":128,"dataset":{"digest":"${digest}","name":"cifar"},` +
        `"kind":"sequence","seed":3,"split":"train","subset":{"seed":0,"size":640,"stratified":true}}`,
    );
    expect(canonicalJson(resolveView({ kind: 'table' }, sources))).toBe(
      `{"dataset":{"digest":"${digest}","name":"cifar"},"kind":"table","split":"train"}`,
    );
  });

  it.each([
    [{ kind: 'sequence', policy: 'mixup', augmentation: [{ kind: 'crop' }] }, 'policy: mixup is short for'],
    [{ kind: 'sequence', policy: 'out-of-distribution' }, 'policy: out-of-distribution appends samples'],
    [{ kind: 'sequence', policy: 'gan' }, 'policy: gan fills a part of each batch'],
    [
      { kind: 'sequence', augmentation: [{ kind: 'mixup' }, { kind: 'crop' }] },
      'augmentation: they are applied',
    ],
  ])('%j is refused', (value, problem) => {
    expect(issues(value)[0]).toContain(problem);
  });

  it('says why the labels of its rows mean nothing, if they do not', () => {
    const reason = (value: object): string | undefined =>
      labelsUndefined(viewSpecFieldSchema.parse({ kind: 'sequence', ...value }));
    expect(reason({ policy: 'mixup' })).toContain('undefined');
    expect(reason({ augmentation: [{ kind: 'mixup' }] })).toContain('undefined');
    expect(reason({ append: { dataset: 'svhn' } })).toContain('samples of svhn have no label');
    expect(reason({ policy: 'gan', synthetic: { dataset: 'made' } })).toContain('images of made');
    expect(reason({ policy: 'combined' })).toBeUndefined();
    expect(labelsUndefined({ kind: 'table' })).toBeUndefined();
  });
});

describe('a subset', () => {
  it('is a number of samples or a part of the split', () => {
    expect(subsetSchema.parse({ size: 200 })).toEqual({ size: 200, stratified: true, seed: 0 });
    expect(subsetSchema.parse({ part: 'd0' })).toEqual({ part: 'd0', ratio: 0.5, seed: 0 });
    for (const wrong of [{}, { part: 'd2' }, { part: 'd0', size: 5 }, { part: 'd0', ratio: 1 }]) {
      expect(subsetSchema.safeParse(wrong).success).toBe(false);
    }
  });

  it('has as many samples as it says', () => {
    const size = (value: object): number => subsetSize(subsetSchema.parse(value), 101);
    expect(subsetSize(undefined, 101)).toBe(101);
    expect([size({ size: 7 }), size({ part: 'd0' }), size({ part: 'd1' }), size({ part: 'd0+d1' })]).toEqual([
      7, 50, 51, 101,
    ]);
  });
});
