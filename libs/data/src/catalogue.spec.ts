import os from 'node:os';
import {
  FidelisError,
  inputDigest,
  sha256Hex,
  type SequenceViewSpec,
  type TableViewSpec,
} from '@fidelis/contracts';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { datasetCatalogue, datasetInfo, loadDataset, verifyDataset } from './catalogue.js';
import { datasetRef, type Dataset } from './dataset.js';
import { createSequenceView } from './sequence-view.js';
import { selectSubset } from './subset.js';
import { createTableView } from './table-view.js';

const home = process.cwd();

let mnist: Dataset;

beforeAll(async () => {
  mnist = await loadDataset('mnist');
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the catalogue', () => {
  it('describes each dataset as it is', () => {
    const info = datasetInfo('mnist');
    expect(datasetCatalogue()).toContain(info);
    expect(info.inputShape).toEqual(mnist.inputShape);
    expect(info.classes).toBe(mnist.classes);
    expect(info.splits).toEqual({ train: mnist.splits.train.size, test: mnist.splits.test.size });
  });

  it('names the known datasets, and what was probably meant, for an unknown one', async () => {
    const error: unknown = await loadDataset('mnits').catch((reason: unknown) => reason);
    expect(FidelisError.is(error) && error.code).toBe('DATASET.UNKNOWN');
    expect(() => datasetInfo('mnits')).toThrow(
      'there is no dataset "mnits". Did you mean "mnist"? Known: mnist, fashion-mnist',
    );
    expect(() => datasetInfo('cifar')).toThrow('there is no dataset "cifar". Known: mnist, fashion-mnist');
  });

  it('loads a dataset once', async () => {
    expect(await loadDataset('mnist')).toBe(mnist);
  });

  it('finds the files from any working directory', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(os.tmpdir());
    expect(process.cwd()).not.toBe(home);
    const files = await verifyDataset('mnist');
    expect(files).toHaveLength(4);
    expect(files.every(({ ok }) => ok)).toBe(true);
  });
});

/** Golden values, computed by an independent implementation: they are identities of streams and must never change. */
describe('MNIST', () => {
  const table = (): TableViewSpec => ({ kind: 'table', dataset: datasetRef(mnist), split: 'train' });

  it('has its digest', () => {
    expect(mnist.digest).toBe('2bd530662294f2bd5b9b86503997c034ae46e1ccdc197054707fe00aad6ca82f');
  });

  it('has its first table chunk', () => {
    const view = createTableView(mnist, table());
    expect(view.chunks).toBe(59);
    expect(inputDigest(view.chunk(0).inputs)).toBe('47464a5acd646393');
    expect(view.chunk(58).ids).toHaveLength(608);
    expect([...view.labels(Uint32Array.of(0, 1, 2, 3, 4))]).toEqual([5, 0, 4, 1, 9]);
  });

  it('has its first shifted batch', () => {
    const spec: SequenceViewSpec = {
      ...table(),
      kind: 'sequence',
      augmentation: [{ kind: 'random-shift', maxPixels: 2 }],
      seed: 0,
      batchSize: 128,
    };
    expect(inputDigest(createSequenceView(mnist, spec).batch(0).inputs)).toBe('1f4102c3f2b2e165');
  });

  it('has its 200 stratified samples', () => {
    const ids = selectSubset(mnist.splits.train.labels, 10, { size: 200, stratified: true, seed: 0 });
    expect(sha256Hex(new Uint8Array(ids.buffer)).slice(0, 16)).toBe('c0b517d0b2c71dc9');
  });
});
