import { experimentSpecSchema, resolveView, type ViewSpec } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { specOfArchive } from './spec-of-archive.js';

const dataset = { name: 'mnist', digest: 'a'.repeat(64) };
const other = { name: 'fashion-mnist', digest: 'b'.repeat(64) };

const VIEWS: readonly ViewSpec[] = [
  { kind: 'table', dataset, split: 'train' },
  { kind: 'table', dataset, split: 'train', subset: { size: 300, stratified: true, seed: 4 } },
  {
    ...{ kind: 'sequence', dataset, split: 'train', seed: 9, batchSize: 32 },
    subset: { part: 'd1', ratio: 0.2, seed: 3 },
    augmentation: [{ kind: 'mixup', portion: 1 }],
    append: { dataset: other, split: 'train', size: 10, seed: 1 },
  },
];

describe('specOfArchive', () => {
  it.each(VIEWS.map((view) => [JSON.stringify(view), view] as const))(
    'says exactly the view that was scored: %s',
    (_, view) => {
      const asked = specOfArchive({ view, codec: 'f16' }, 't-0123456789ab');
      const student = {
        batchSize: 16,
        ...(asked['student'] as object | undefined),
        architecture: 'lenet5',
        epochs: 1,
        optimizer: { learningRate: 0.1 },
      };
      const spec = experimentSpecSchema.parse({ ...asked, name: 'x', student });
      const resolved = resolveView(spec.view, {
        ...{ dataset, split: 'train', seed: spec.seed, batchSize: spec.student.batchSize },
        refOf: (name) => (name === other.name ? other : dataset),
      });
      expect(resolved).toEqual(view);
      expect(spec).toMatchObject({ teacher: { id: 't-0123456789ab' }, codec: 'f16', dataset: 'mnist' });
    },
  );
});
