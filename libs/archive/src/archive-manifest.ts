import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  canonicalJson,
  CODEC_BYTES,
  CODECS,
  datasetRefSchema,
  digestSchema,
  FidelisError,
  fileErrorCode,
  MAX_PART_BYTES,
  producerFingerprintSchema,
  streamKey,
  timestampSchema,
  viewSpecSchema,
} from '@fidelis/contracts';
import { z } from 'zod';
import { invalidArchive, reasonOf } from './archive-error.js';
import { sampleSourceSchema, splitsOf } from './sample-sources.js';
import { predictionsProblem, predictionsSchema } from './split-predictions.js';
import { rowsBefore, rowsOfStep, stepLimit } from './step-rows.js';

export const MANIFEST_FILE = 'manifest.json';
export const ARCHIVE_FORMAT = 'fidelis-logit-stream';
export const ARCHIVE_VERSION = 1;

const shardSchema = z.strictObject({
  file: z.string().regex(/^shard-\d{5,}\.arrow$/, 'a shard is named shard-00000.arrow and so on'),
  firstStep: z.int().min(0),
  steps: z.int().positive(),
  rows: z.int().positive(),
  bytes: z.int().positive(),
  sha256: digestSchema,
});
export type ShardEntry = z.infer<typeof shardSchema>;

/** What a stream is, whatever part of it is stored. */
const identityFields = {
  streamKey: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe(
      'First 16 hexadecimal digits of sha-256 over the canonical JSON (keys sorted, no white space) of {codec, schemaVersion: 1, teacherDigest, view}.',
    ),
  teacherId: z
    .string()
    .min(1)
    .describe('Whose logits they are; any name where the teacher is not of this platform.'),
  teacherDigest: digestSchema.describe(
    "Of the teacher's weights; where these are elsewhere, sha-256 of whatever decides the logits.",
  ),
  view: viewSpecSchema.describe('What the teacher scored.'),
  samples: z
    .array(sampleSourceSchema)
    .min(1)
    .describe('What sample ids mean: the splits that the view draws on, in the order of their ids.'),
  codec: z.enum(CODECS),
  members: z.int().positive().max(0xffff),
  classes: z.int().positive(),
  parts: z.int().positive().max(0xffff).describe('Frames of each step on the wire.'),
  partRows: z.int().positive().describe('Rows of each part but the last of a step.'),
  mixing: z
    .boolean()
    .describe('Whether rows have partner_id and mixing_weight: w · sample + (1 − w) · partner was scored.'),
  producer: producerFingerprintSchema.nullable().describe('What computed the logits; null if unknown.'),
};
const identitySchema = z.object(identityFields);
export type ArchiveIdentity = z.infer<typeof identitySchema>;

export const archiveManifestSchema = z
  .strictObject({
    format: z.literal(ARCHIVE_FORMAT),
    version: z.literal(ARCHIVE_VERSION),
    ...identityFields,
    dataset: datasetRefSchema.describe("The view's."),
    kind: z.enum(['table', 'sequence']).describe("The view's."),
    firstStep: z.int().min(0),
    steps: z.int().positive().describe('Steps of a sequence, chunks of 1,024 rows of a table.'),
    rows: z.int().positive(),
    shards: z.array(shardSchema).min(1).describe('In the order of their steps.'),
    predictions: z
      .array(predictionsSchema)
      .default([])
      .describe("The teacher's logits on whole splits as they are: what fidelity is measured against."),
    createdAt: timestampSchema,
  })
  .describe('A stored logit stream; docs/streams.md has the layout of the shards.');
export type ArchiveManifest = z.infer<typeof archiveManifestSchema>;

/** The schema of manifest.json, for docs/schemas. */
export function archiveManifestJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(archiveManifestSchema, { io: 'input' }), title: 'Fidelis logit stream archive' };
}

/**
 * @throws FidelisError ARCHIVE.INVALID naming the file and the field; ARCHIVE.UNSUPPORTED for a version that is not known here
 */
export async function readManifest(directory: string): Promise<ArchiveManifest> {
  const file = path.join(directory, MANIFEST_FILE);
  const value = await readJson(file);
  const { format, version } = (typeof value === 'object' ? value : null) ?? {};
  if (format !== ARCHIVE_FORMAT) {
    throw invalidArchive(
      file,
      `is no manifest of a logit stream: its "format" is ${JSON.stringify(format)}, not "${ARCHIVE_FORMAT}". Give the directory that was exported`,
    );
  }
  if (version !== ARCHIVE_VERSION) {
    throw new FidelisError(
      'ARCHIVE.UNSUPPORTED',
      `${file}: format version ${JSON.stringify(version)} is not ${ARCHIVE_VERSION}, the one known here. Use a version of Fidelis that knows it, or export the stream again with this one`,
      { details: { file, version, known: [ARCHIVE_VERSION] } },
    );
  }
  const parsed = archiveManifestSchema.safeParse(value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => ({
      field: issue.path.join('.'),
      problem: issue.message,
    }));
    const list = issues
      .map(({ field, problem }) => (field === '' ? problem : `${field}: ${problem}`))
      .join('; ');
    throw invalidArchive(file, `${list}. Write it as docs/schemas/stream-archive.schema.json says`, {
      issues,
    });
  }
  const problem = identityProblem(parsed.data) ?? extentProblem(parsed.data);
  if (problem !== undefined) throw invalidArchive(file, problem);
  return parsed.data;
}

async function readJson(
  file: string,
): Promise<{ readonly format?: unknown; readonly version?: unknown } | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = fileErrorCode(error) === 'ENOENT' ? 'there is no such file' : reasonOf(error);
    throw invalidArchive(
      file,
      `${why}. Give the directory of a whole export: an export that was killed leaves none`,
      {},
      error,
    );
  }
  try {
    return JSON.parse(text) as { readonly format?: unknown; readonly version?: unknown } | null;
  } catch (error) {
    throw invalidArchive(file, `is no JSON: ${reasonOf(error)}. Copy or export it again`, {}, error);
  }
}

/** The fields of a stream's description alone: a record of the stream has more. */
export function identityOf(source: ArchiveIdentity): ArchiveIdentity {
  return identitySchema.parse(source);
}

/** What contradicts itself in a stream's description; undefined where nothing does. */
export function identityProblem(identity: ArchiveIdentity): string | undefined {
  const { view, codec, members, classes, partRows, parts, samples } = identity;
  const key = streamKey(identity.teacherDigest, view, codec);
  if (identity.streamKey !== key) {
    return `streamKey: ${identity.streamKey} is not the key of this teacher, view and codec, which is ${key}. Correct what was changed`;
  }
  const splits = splitsOf(view);
  const expected = canonicalJson(splits);
  if (canonicalJson(samples.map(({ dataset, split }) => ({ dataset, split }))) !== expected) {
    return `samples: are not the splits that the view draws on, ${expected}. List these, in this order`;
  }
  let firstId = 0;
  for (const [index, source] of samples.entries()) {
    if (source.firstId !== firstId) {
      return `samples.${index}.firstId: is ${source.firstId}, and the splits before it end at ${firstId}. Count ids without gaps`;
    }
    firstId += source.rows;
  }
  const partBytes = partRows * members * classes * CODEC_BYTES[codec];
  if (partBytes > MAX_PART_BYTES) {
    return `partRows: ${partRows} rows of ${members}×${classes} ${codec} are ${partBytes} bytes, and a frame has at most ${MAX_PART_BYTES}. Use fewer`;
  }
  const largest = rowsOfStep(identity, 0);
  if (parts * partRows < largest) {
    return `parts: ${parts} parts of ${partRows} rows do not hold a step of ${largest}. Use more`;
  }
  return undefined;
}

/** What contradicts itself in the counts of a manifest. */
function extentProblem(manifest: ArchiveManifest): string | undefined {
  const { view, dataset, kind, firstStep, steps, rows, shards } = manifest;
  if (kind !== view.kind) return `kind: is ${kind}, and the view is a ${view.kind}. Make them one`;
  if (canonicalJson(dataset) !== canonicalJson(view.dataset)) {
    return `dataset: ${dataset.name} (${dataset.digest}) is not the view's, ${view.dataset.name} (${view.dataset.digest}). Make them one`;
  }
  const limit = stepLimit(manifest);
  if (firstStep + steps > limit) {
    return `steps: ${steps} from ${firstStep} on are more than the ${limit} that the table has. Correct the range`;
  }
  let nextStep = firstStep;
  for (const shard of shards) {
    if (shard.firstStep !== nextStep) {
      return `${shard.file} begins at step ${shard.firstStep}, and the shard before it ends before step ${nextStep}: shards must be contiguous. Add the one that is missing, or export again`;
    }
    nextStep += shard.steps;
    const expected = rowsBefore(manifest, nextStep) - rowsBefore(manifest, shard.firstStep);
    if (shard.rows !== expected) {
      return `${shard.file} is said to have ${shard.rows} rows, and ${shard.steps} steps from ${shard.firstStep} on have ${expected} in this view. Export it again`;
    }
  }
  if (nextStep !== firstStep + steps) {
    return `steps: is ${steps} from ${firstStep} on, and the shards end before step ${nextStep}. Add the shard that is missing, or export again`;
  }
  const total = shards.reduce((sum, shard) => sum + shard.rows, 0);
  if (total !== rows) return `rows: is ${rows}, and the shards have ${total}. Correct it`;
  if (new Set(shards.map(({ file }) => file)).size !== shards.length) {
    return 'shards: one file is listed twice. Export it again';
  }
  return predictionsProblem(manifest);
}
