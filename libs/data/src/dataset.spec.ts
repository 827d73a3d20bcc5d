import { FidelisError } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { createDataset, type Dataset } from './dataset.js';
import { tinyDataset } from './tiny-dataset.fixture.js';

type Content = Parameters<typeof createDataset>[0];

function changed(change: (content: Dataset) => Content): string {
  return createDataset(change(tinyDataset())).digest;
}

function withTrain(dataset: Dataset, train: Partial<Dataset['splits']['train']>): Content {
  return { ...dataset, splits: { ...dataset.splits, train: { ...dataset.splits.train, ...train } } };
}

describe('createDataset', () => {
  it('has a digest that changes with every byte, label and extent, and not with the name', () => {
    const { digest } = tinyDataset();
    expect(changed((dataset) => ({ ...dataset, name: 'other' }))).toBe(digest);
    const others = [
      changed((dataset) =>
        withTrain(dataset, { inputs: dataset.splits.train.inputs.map((b, i) => (i === 0 ? 0 : b)) }),
      ),
      changed((dataset) => withTrain(dataset, { labels: dataset.splits.train.labels.map(() => 1) })),
      changed((dataset) => withTrain(dataset, { labels: Int32Array.from(dataset.splits.train.labels) })),
      changed((dataset) => ({ ...dataset, inputShape: { height: 4, width: 3, channels: 1 } })),
      changed((dataset) => ({
        ...dataset,
        splits: { train: dataset.splits.test, test: dataset.splits.train },
      })),
    ];
    expect(new Set([digest, ...others]).size).toBe(6);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['too few bytes', { inputs: new Uint8Array(5) }, '5 input values where the shape asks for 600'],
    ['too few labels', { labels: new Uint8Array(5) }, '5 labels for 50 inputs'],
    ['a label that is no class', { labels: new Uint8Array(50).fill(3, 7, 8) }, 'sample 7 has the label 3'],
    ['a negative label', { labels: new Int32Array(50).fill(-1, 9) }, 'sample 9 has the label -1'],
  ])('refuses %s', (_, train, problem) => {
    const dataset = tinyDataset();
    const create = (): Dataset => createDataset(withTrain(dataset, train));
    expect(create).toThrow(FidelisError);
    expect(create).toThrow(`dataset "tiny", split train: ${problem}`);
  });
});
