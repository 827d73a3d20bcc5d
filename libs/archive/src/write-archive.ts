import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { asUnwritable, fileErrorCode, FidelisError, type LogitFrame } from '@fidelis/contracts';
import { createDraft, removeAbandonedDrafts, type StepSamples } from '@fidelis/data';
import { abortable } from './abortable.js';
import { invalidArchive } from './archive-error.js';
import {
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  identityOf,
  identityProblem,
  MANIFEST_FILE,
  type ArchiveIdentity,
  type ArchiveManifest,
  type ShardEntry,
} from './archive-manifest.js';
import { FrameOrder } from './frame-order.js';
import { RowBuffer } from './row-buffer.js';
import { shardRowBytes, shardSchema, shardShape } from './shard-columns.js';
import { ShardWriter } from './shard-writer.js';
import { writePredictions, type PredictionsEntry, type SplitPredictions } from './split-predictions.js';
import { rowsBefore, rowsOfStep, stepLimit } from './step-rows.js';

/** What is stored: which stream, and which of its steps. */
export interface ArchiveHeader extends ArchiveIdentity {
  /** @default 0 */
  readonly firstStep?: number;
  /** Steps (of a sequence) or chunks (of a table) that the frames have, from `firstStep` on. */
  readonly steps: number;
}

export interface ArchiveProgress {
  /** Steps done, and all of them. */
  readonly steps: number;
  readonly totalSteps: number;
  readonly rows: number;
  /** Of the logits, as the codec has them. */
  readonly bytes: number;
}

export interface WriteArchiveOptions {
  /** The teacher's logits on whole splits, stored beside the stream. @default none */
  readonly predictions?: readonly SplitPredictions[];
  /** A shard is at most this large, unless a single step is larger. @default 64 MiB */
  readonly shardBytes?: number;
  readonly signal?: AbortSignal;
  /** After every step. */
  readonly onProgress?: (progress: ArchiveProgress) => void;
}

export const DEFAULT_SHARD_BYTES = 64 * 1024 * 1024;

/**
 * Stores a logit stream in a directory that does not exist yet, or is empty. Everything is there in the end, or nothing: files
 * are written in a hidden directory beside it, which is renamed; one that a killed process left is removed by the next export beside it.
 * Holds about 3 MiB besides a frame, however long the stream.
 *
 * @param frames all parts of all steps, in order
 * @param samplesOf called once for each step, in order
 * @throws FidelisError REQUEST.INVALID (the directory is not empty), STORAGE.UNWRITABLE, ARCHIVE.INVALID (the header contradicts
 *   itself, or samples do not fit the frames), STREAM.GAP (a step is missing), FRAME.FOREIGN (of another stream), FRAME.INVALID (NaN)
 */
export async function writeArchive(
  directory: string,
  header: ArchiveHeader,
  frames: AsyncIterable<LogitFrame>,
  samplesOf: (step: number) => StepSamples | Promise<StepSamples>,
  options: WriteArchiveOptions = {},
): Promise<ArchiveManifest> {
  const { firstStep = 0, steps } = header;
  const identity = identityOf(header);
  const problem = identityProblem(identity) ?? rangeProblem(identity, firstStep, steps);
  if (problem !== undefined) throw invalidArchive(directory, problem);
  options.signal?.throwIfAborted();
  const target = path.resolve(directory);
  let draft: string | undefined;
  try {
    draft = await prepare(target);
    const source = options.signal === undefined ? frames : abortable(frames, options.signal);
    const shards = await writeShards(draft, { ...header, firstStep }, source, samplesOf, options);
    const predictions: PredictionsEntry[] = [];
    for (const split of options.predictions ?? []) {
      predictions.push(await writePredictions(draft, identity, split));
    }
    const manifest: ArchiveManifest = {
      format: ARCHIVE_FORMAT,
      version: ARCHIVE_VERSION,
      ...identity,
      dataset: identity.view.dataset,
      kind: identity.view.kind,
      firstStep,
      steps,
      rows: shards.reduce((sum, { rows }) => sum + rows, 0),
      shards,
      predictions,
      createdAt: new Date().toISOString(),
    };
    const json = `${JSON.stringify(manifest, undefined, 2)}\n`;
    await writeFile(path.join(draft, MANIFEST_FILE), json, { flag: 'wx', flush: true });
    await publish(draft, target);
    return manifest;
  } catch (error) {
    throw asUnwritable(path.dirname(target), error);
  } finally {
    if (draft !== undefined) await rm(draft, { recursive: true, force: true });
  }
}

function rangeProblem(identity: ArchiveIdentity, firstStep: number, steps: number): string | undefined {
  const whole = Number.isSafeInteger(firstStep) && Number.isSafeInteger(steps) && firstStep >= 0 && steps > 0;
  if (!whole) return `steps: ${steps} from ${firstStep} on is no range of steps. Store at least one`;
  const limit = stepLimit(identity);
  if (firstStep + steps <= limit) return undefined;
  return `steps: ${steps} from ${firstStep} on are more than the ${limit} that the table has. Store fewer`;
}

/** @returns the directory to write in */
async function prepare(target: string): Promise<string> {
  const parent = path.dirname(target);
  await mkdir(parent, { recursive: true });
  await removeAbandonedDrafts(parent);
  try {
    if ((await readdir(target)).length > 0) throw inTheWay(target);
  } catch (error) {
    if (fileErrorCode(error) === 'ENOTDIR') throw inTheWay(target);
    if (fileErrorCode(error) !== 'ENOENT') throw error;
  }
  return createDraft(parent);
}

function inTheWay(target: string): FidelisError {
  return new FidelisError(
    'REQUEST.INVALID',
    `${target} is there already and is no empty directory. Choose another, or remove it first`,
    { details: { path: target } },
  );
}

async function publish(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target);
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(fileErrorCode(error))) throw inTheWay(target);
    throw error;
  }
}

async function writeShards(
  draft: string,
  header: ArchiveHeader & { readonly firstStep: number },
  frames: AsyncIterable<LogitFrame>,
  samplesOf: (step: number) => StepSamples | Promise<StepSamples>,
  { shardBytes = DEFAULT_SHARD_BYTES, onProgress }: WriteArchiveOptions,
): Promise<ShardEntry[]> {
  const shape = shardShape(header);
  const [schema, rowBytes] = [shardSchema(shape), shardRowBytes(shape)];
  const buffer = new RowBuffer(schema, shape);
  const order = new FrameOrder(header);
  const shards: ShardEntry[] = [];
  const { firstStep, steps: totalSteps } = header;
  let shard: ShardWriter | undefined;
  let samples: StepSamples | undefined;
  let bytes = 0;
  try {
    for await (const frame of frames) {
      order.accept(frame);
      const { step } = frame;
      if (frame.part === 0) {
        const rows = rowsOfStep(header, step);
        samples = checkedSamples(await samplesOf(step), step, rows, header);
        if (shard !== undefined && shard.sizeWith(rows, rowBytes) > shardBytes) {
          shards.push(await shard.finish(step));
          shard = undefined;
        }
        shard ??= await ShardWriter.create(draft, shardName(shards.length), step, schema, buffer);
      }
      if (samples === undefined || shard === undefined)
        throw new TypeError('a step begins with its first part');
      const firstRow = Math.min(frame.part * header.partRows, samples.ids.length);
      await shard.add({
        step,
        firstRow,
        ...slice(samples, firstRow, firstRow + frame.rows),
        inputDigest: frame.inputDigest,
        values: frame.values,
      });
      bytes += frame.rows * (rowBytes - shardRowBytes({ ...shape, width: 0 }));
      if (frame.part === header.parts - 1) {
        const steps = step + 1 - firstStep;
        onProgress?.({
          steps,
          totalSteps,
          rows: rowsBefore(header, step + 1) - rowsBefore(header, firstStep),
          bytes,
        });
      }
      if (order.complete) break;
    }
    order.requireComplete();
    if (shard !== undefined) shards.push(await shard.finish(firstStep + totalSteps));
    shard = undefined;
    return shards;
  } finally {
    await shard?.abandon();
  }
}

function shardName(index: number): string {
  return `shard-${String(index).padStart(5, '0')}.arrow`;
}

function slice({ ids, mixing }: StepSamples, from: number, to: number): StepSamples {
  const own = { ids: ids.subarray(from, to) };
  if (mixing === undefined) return own;
  const { partners, weights } = mixing;
  return { ...own, mixing: { partners: partners.subarray(from, to), weights: weights.subarray(from, to) } };
}

function checkedSamples(
  samples: StepSamples,
  step: number,
  rows: number,
  { mixing }: ArchiveIdentity,
): StepSamples {
  const lengths = [samples.ids, samples.mixing?.partners, samples.mixing?.weights].map(
    (array) => array?.length,
  );
  const expected = mixing ? [rows, rows, rows] : [rows, undefined, undefined];
  if (lengths.every((length, index) => length === expected[index])) return samples;
  throw invalidArchive(
    `step ${step}`,
    `has ${rows} rows${mixing ? ', each with a partner and a weight' : ''}, and there are ${samples.ids.length} ids. Give the samples of the view that the stream is of`,
    { step, rows, ids: samples.ids.length },
  );
}
