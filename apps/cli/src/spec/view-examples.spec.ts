import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { canonicalJson, resolveView } from '@fidelis/contracts';
import { expect, it } from 'vitest';
import { readSpec } from './read-spec.js';

const directory = fileURLToPath(new URL('../../../../examples/views/', import.meta.url));
const splits = { train: 50_000, test: 10_000 };
const datasets = { known: ['cifar10', 'svhn', 'cifar10-generated'].map((name) => ({ name, splits })) };
const refOf = (name: string): { name: string; digest: string } => ({ name, digest: 'd'.repeat(64) });

async function viewOf(file: string): Promise<string> {
  const { spec } = await readSpec(`${directory}${file}`, datasets);
  const { seed, student, view } = spec;
  const sources = { dataset: refOf(spec.dataset), seed, batchSize: student.batchSize, refOf };
  return canonicalJson(resolveView(view, { ...sources, split: 'train' }));
}

it.each(readdirSync(directory))('%s is a view', async (file) => {
  expect(await viewOf(file)).toContain('"kind":"sequence"');
});

it('a policy by name is the same view as written out', async () => {
  expect(await viewOf('combined.yaml')).toBe(await viewOf('combined-written-out.yaml'));
});
