import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ArtifactStore } from '@fidelis/bus';
import {
  ARTIFACTS_BUCKET,
  datasetRpc,
  garbageRpc,
  runRpc,
  type ExperimentSpecInput,
  type RunRecord,
} from '@fidelis/contracts';
import { addDataset, datasetRefOf, philox4x32 } from '@fidelis/data';
import { configSchema, createApp } from '@fidelis/student-svc';
import { createTemporaryDirectory, waitFor, type TemporaryDirectory } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess, type ServiceProcess } from './service-process.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

const NAME = 'strokes';
const SIDE = 28;

/** Four files as MNIST's, of images that a seed draws. */
async function idxFiles(directory: string, seed: number): Promise<string> {
  await mkdir(directory, { recursive: true });
  const header = (kind: number, ...sizes: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 + 4 * sizes.length);
    bytes.writeUInt32BE(0x0800 + kind, 0);
    sizes.forEach((size, at) => bytes.writeUInt32BE(size, 4 + 4 * at));
    return bytes;
  };
  for (const [split, count, salt] of [
    ['train', 300, 0],
    ['t10k', 60, 1],
  ] as const) {
    const pixels = Uint8Array.from(
      { length: count * SIDE * SIDE },
      (_, at) => philox4x32([at, salt, 0, 0], [seed, 0])[0] & 0xff,
    );
    const labels = Uint8Array.from({ length: count }, (_, at) => at % 10);
    await writeFile(
      path.join(directory, `${split}-images-idx3-ubyte`),
      Buffer.concat([header(3, count, SIDE, SIDE), pixels]),
    );
    await writeFile(
      path.join(directory, `${split}-labels-idx1-ubyte`),
      Buffer.concat([header(1, count), labels]),
    );
  }
  return directory;
}

/** Control has a dataset that somebody added; the others are processes with directories of their own. */
describe('services that lack the dataset of a run', () => {
  let servers: Servers;
  let directory: TemporaryDirectory;
  let control: RunningService;
  const others = new Map<string, ServiceProcess>();

  const placeOf = (service: string): Record<string, string> => ({
    FIDELIS_NATS_URL: servers.natsUrl,
    FIDELIS_DATABASE_URL: servers.databaseUrl,
    FIDELIS_BACKEND: 'wasm',
    FIDELIS_DATASETS_DIR: path.join(directory.path, service, 'datasets'),
    FIDELIS_DATASET_COPIES_DIR: path.join(directory.path, service, 'copies'),
  });
  const copiesOf = (service: string): string => path.join(directory.path, service, 'copies');

  beforeAll(async () => {
    servers = await startServers();
    directory = await createTemporaryDirectory('copies');
    const idx = await idxFiles(path.join(directory.path, 'idx'), 1);
    const datasets = path.join(directory.path, 'control', 'datasets');
    await addDataset(datasets, idx, { name: NAME });
    // The worker has something else of that name.
    const other = await idxFiles(path.join(directory.path, 'other'), 2);
    await addDataset(path.join(directory.path, 'worker', 'datasets'), other, { name: NAME });
    control = await startApp(createApp, configSchema, { ...placeOf('control'), FIDELIS_ROLE: 'control' });
    others.set('teacher', startProcess('teacher-svc', placeOf('teacher')));
    others.set('metrics', startProcess('metrics-svc', placeOf('metrics')));
    others.set('worker', startProcess('student-svc', { ...placeOf('worker'), FIDELIS_ROLE: 'worker' }));
  });
  afterAll(async () => {
    await Promise.all([...others.values()].map((service) => service.stop()));
    await control?.close();
    await servers?.dispose();
    await directory?.remove();
  });

  const start = async (name: string, seed: number): Promise<string> => {
    const recipe = { epochs: 1, batchSize: 50, optimizer: { learningRate: 0.01 } };
    const spec: ExperimentSpecInput = {
      ...{ name, seed, dataset: NAME },
      teacher: { architecture: 'lenet5', seed: 0, train: recipe },
      student: { architecture: 'lenet5', ...recipe },
      evaluation: { sets: ['test'], everyEpochs: 0 },
    };
    return (await control.rpc.call(runRpc.start, { spec, correlationId: `c-${name}` })).id;
  };
  const ended = async (id: string): Promise<RunRecord> =>
    waitFor(
      async () => {
        const run = await control.rpc.call(runRpc.get, { id });
        return (run.state === 'completed' || run.state === 'failed') && run;
      },
      { what: `${id} to end`, deadlineMs: 50_000 },
    ).catch((cause: unknown) => {
      const logs = [...others].map(([service, { log }]) => `${service}: ${log().slice(-2_000)}`);
      throw new Error(logs.join('\n'), { cause });
    });

  it('fetch it from the artifact store, and the run completes', async () => {
    const run = await ended(await start('elsewhere', 1));
    expect(run).toMatchObject({
      state: 'completed',
      error: null,
      frames: { published: 1, consumed: 1, trained: 1, closed: true },
    });
    const dataset = await datasetRefOf(NAME);
    expect(run.lineage.dataset).toEqual(dataset);
    for (const service of others.keys()) {
      expect([service, await readdir(copiesOf(service))]).toEqual([service, [dataset.digest]]);
    }
    // What its own name means to the worker is as it was.
    expect(await readdir(path.join(directory.path, 'worker', 'datasets'))).toEqual([NAME]);
    expect(await readdir(path.join(directory.path, 'control'))).toEqual(['datasets']);
  });

  it('have its archive for as long as a run, a teacher or a stream is of it', async () => {
    const { archive } = await control.rpc.call(datasetRpc.locate, await datasetRefOf(NAME));
    const { artifacts } = await control.rpc.call(garbageRpc.collect, { dryRun: true, olderThanSeconds: 0 });
    expect(artifacts.map(({ digest }) => digest)).not.toContain(archive);
    expect(await control.get(ArtifactStore).has(archive)).toBe(true);
  });

  it('say so where the archive is damaged, and nothing is kept of it', async () => {
    const dataset = await datasetRefOf(NAME);
    const { archive } = await control.rpc.call(datasetRpc.locate, dataset);
    await rm(copiesOf('worker'), { recursive: true });
    const manager = await jetstreamManager(control.connection);
    const bucket = `OBJ_${ARTIFACTS_BUCKET}`;
    const name = Buffer.from(archive).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    const meta = await manager.streams.getMessage(bucket, {
      last_by_subj: `$O.${ARTIFACTS_BUCKET}.M.${name}`,
    });
    const nuid = meta?.json<{ nuid: string }>().nuid ?? '';
    const { purged } = await manager.streams.purge(bucket, { filter: `$O.${ARTIFACTS_BUCKET}.C.${nuid}` });
    expect(purged).toBe(1);

    const run = await ended(await start('damaged', 2));
    expect(run).toMatchObject({
      state: 'failed',
      error: { code: 'ARTIFACT.CORRUPT', details: { dataset: NAME, digest: dataset.digest, archive } },
    });
    for (const part of [`"${NAME}"`, dataset.digest, archive, 'is damaged', 'fidelis data add']) {
      expect(run.error?.message).toContain(part);
    }
    expect(await readdir(copiesOf('worker'))).toEqual([]);
  });

  it('say so where nobody has it any more', async () => {
    const unknown = { name: 'nobodys', digest: '0d'.repeat(32) };
    await expect(control.rpc.call(datasetRpc.locate, unknown)).rejects.toMatchObject({
      code: 'DATASET.UNKNOWN',
      message: expect.stringMatching(/no archive of the dataset "nobodys" .*fidelis data add/) as unknown,
    });
  });
});
