import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  canonicalJson,
  FidelisError,
  type DatasetRef,
  type LogitFrame,
  type Split,
} from '@fidelis/contracts';
import { archiveMismatch, invalidArchive } from './archive-error.js';
import { readManifest, type ArchiveManifest } from './archive-manifest.js';
import { readSteps, type ArchiveStep } from './archive-steps.js';
import { checkFileSize } from './shard-reader.js';
import { readPredictions, type SplitPredictions } from './split-predictions.js';
import { rowsOfStep } from './step-rows.js';

export interface ReadArchiveOptions {
  /** @default the first one that is stored */
  readonly fromStep?: number;
  readonly signal?: AbortSignal;
}

/** A stored logit stream. */
export interface LogitArchive {
  readonly directory: string;
  readonly manifest: ArchiveManifest;
  readonly rowsOf: (step: number) => number;
  /**
   * Each step with its samples. A shard's sha-256 is checked before its first step is given out; one record batch is held at a time.
   *
   * @throws FidelisError ARCHIVE.INVALID, REQUEST.INVALID (a step that is not stored)
   */
  readonly steps: (options?: ReadArchiveOptions) => AsyncIterable<ArchiveStep>;
  /** The frames that were stored: encoded, the same bytes. @throws as `steps` */
  readonly frames: (options?: ReadArchiveOptions) => AsyncIterable<LogitFrame>;
  /** The teacher's logits on whole splits, one split in memory at a time. @throws FidelisError ARCHIVE.INVALID */
  readonly predictions: () => AsyncIterable<SplitPredictions>;
}

/**
 * Reads the manifest and looks whether the shards are there; what is in them is checked as it is read.
 *
 * @throws FidelisError ARCHIVE.INVALID naming the file; ARCHIVE.UNSUPPORTED
 */
export async function openArchive(directory: string): Promise<LogitArchive> {
  const manifest = await readManifest(directory);
  for (const entry of [...manifest.shards, ...manifest.predictions]) await checkFileSize(directory, entry);
  const listed = new Set(manifest.shards.map(({ file }) => file));
  const extra = (await readdir(directory)).find((name) => name.endsWith('.arrow') && !listed.has(name));
  if (extra !== undefined) {
    throw invalidArchive(
      path.join(directory, extra),
      'the manifest does not list this shard: two exports were mixed up, or the manifest is an old one. Remove it, or export again',
    );
  }
  const steps = (options: ReadArchiveOptions = {}): AsyncIterable<ArchiveStep> =>
    stepsFrom(directory, manifest, options);
  return {
    directory,
    manifest,
    rowsOf: (step) => rowsOfStep(manifest, step),
    steps,
    frames: async function* (options) {
      for await (const step of steps(options)) yield* framesOf(manifest, step);
    },
    predictions: async function* () {
      for (const entry of manifest.predictions) yield await readPredictions(directory, manifest, entry);
    },
  };
}

async function* stepsFrom(
  directory: string,
  manifest: ArchiveManifest,
  { fromStep = manifest.firstStep, signal }: ReadArchiveOptions,
): AsyncGenerator<ArchiveStep> {
  const end = manifest.firstStep + manifest.steps;
  if (!Number.isSafeInteger(fromStep) || fromStep < manifest.firstStep || fromStep > end) {
    throw new FidelisError(
      'REQUEST.INVALID',
      `step ${fromStep} is not stored in ${directory}: it has steps ${manifest.firstStep} to ${end - 1}`,
      { details: { fromStep, firstStep: manifest.firstStep, steps: manifest.steps } },
    );
  }
  for (const shard of manifest.shards) {
    if (shard.firstStep + shard.steps <= fromStep) continue;
    for await (const step of readSteps(directory, manifest, shard, signal)) {
      if (step.step >= fromStep) yield step;
    }
  }
}

function* framesOf(manifest: ArchiveManifest, stored: ArchiveStep): Generator<LogitFrame> {
  const { codec, parts, partRows, streamKey, members, classes } = manifest;
  const { step, inputDigest } = stored;
  for (let part = 0; part < parts; part++) {
    const from = Math.min(part * partRows, stored.rows);
    const to = Math.min(from + partRows, stored.rows);
    const width = members * classes;
    const values = stored.values.subarray(from * width, to * width);
    yield { codec, part, parts, streamKey, step, rows: to - from, members, classes, inputDigest, values };
  }
}

export interface ArchiveSummary {
  readonly steps: number;
  readonly rows: number;
  readonly shards: number;
  /** Of all shards. */
  readonly bytes: number;
  /** Splits that the teacher's predictions are there for. */
  readonly predictions: readonly Split[];
}

/**
 * Reads all of it.
 *
 * @throws FidelisError the first thing that is wrong: ARCHIVE.INVALID, ARCHIVE.UNSUPPORTED
 */
export async function verifyArchive(
  directory: string,
  options: Pick<ReadArchiveOptions, 'signal'> = {},
): Promise<ArchiveSummary> {
  const { manifest, steps, predictions } = await openArchive(directory);
  let [seen, rows] = [0, 0];
  const splits: Split[] = [];
  for await (const step of steps(options)) {
    seen += 1;
    rows += step.rows;
  }
  for await (const { split } of predictions()) splits.push(split);
  const bytes = manifest.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  return { steps: seen, rows, shards: manifest.shards.length, bytes, predictions: splits };
}

/**
 * @param known the dataset of this name that there is here; undefined where there is none
 * @throws FidelisError ARCHIVE.MISMATCH where the stream is over other bytes
 */
export function requireDatasets(
  { manifest, directory }: Pick<LogitArchive, 'manifest' | 'directory'>,
  known: (name: string) => DatasetRef | undefined,
): void {
  for (const { dataset } of manifest.samples) {
    const here = known(dataset.name);
    if (here !== undefined && canonicalJson(here) === canonicalJson(dataset)) continue;
    const there = here === undefined ? 'there is none of this name' : `the one here has ${here.digest}`;
    throw archiveMismatch(
      `${directory} is of dataset "${dataset.name}" with digest ${dataset.digest}, and ${there}. Bring in the dataset that the logits are of (\`fidelis data add\`): its samples have to be the same, byte by byte`,
      { directory, expected: dataset, actual: here ?? null },
    );
  }
}
