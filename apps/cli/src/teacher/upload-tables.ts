import path from 'node:path';
import {
  digestSchema,
  FidelisError,
  invalidFields,
  sha256Hex,
  type ExperimentSpec,
  type Split,
} from '@fidelis/contracts';
import { datasetCatalogue } from '@fidelis/data';
import { encodeNpy, readLogits } from '@fidelis/tables';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { locateServiceError, type SpecFile } from '../spec/read-spec.js';

type Tables = Extract<ExperimentSpec['teacher'], { kind: 'table' }>;

const FIELDS = [
  ['logits', 'train'],
  ['testLogits', 'test'],
] as const satisfies readonly (readonly [keyof Tables, Split])[];

export interface UploadContext {
  /** That the spec was read from: paths in it are relative to its directory. */
  readonly file: string;
  readonly client: GatewayClient;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

/**
 * The spec with the files of its teacher's logits checked, stored where the services find them, and named by their sha-256. What is a sha-256
 * already was uploaded before.
 *
 * @throws FidelisError SPEC.INVALID with the line of the file that names a table that is none, or of another dataset
 */
export async function withUploadedTables(
  spec: ExperimentSpec,
  { source }: Pick<SpecFile, 'source'>,
  context: UploadContext,
): Promise<ExperimentSpec> {
  const { teacher } = spec;
  if (!('kind' in teacher)) return spec;
  let uploaded: Tables = teacher;
  for (const [field, split] of FIELDS) {
    const named = teacher[field];
    if (named === undefined || digestSchema.safeParse(named).success) continue;
    try {
      uploaded = { ...uploaded, [field]: await upload(spec.dataset, split, named, context) };
    } catch (error) {
      if (!FidelisError.is(error) || error.code !== 'REQUEST.INVALID') throw error;
      const issue = { field: `teacher.${field}`, problem: error.message };
      throw locateServiceError(invalidFields([issue], 'SPEC.INVALID'), source);
    }
  }
  return { ...spec, teacher: uploaded };
}

async function upload(
  dataset: string,
  split: Split,
  named: string,
  { file, client, signal, warn }: UploadContext,
): Promise<string> {
  const table = path.resolve(path.dirname(file), named);
  const known = datasetCatalogue().find(({ name }) => name === dataset);
  if (known === undefined) {
    throw new FidelisError(
      'REQUEST.INVALID',
      `${named} cannot be checked: this machine does not know the dataset ${dataset}, whose samples its rows are. Add it here, or put the file to the gateway's /artifacts/<sha-256> and give that`,
    );
  }
  const { members, values, looksLikeProbabilities } = await readLogits(table, {
    rows: known.splits[split],
    classes: known.classes,
  });
  if (looksLikeProbabilities) {
    warn(
      `${named} looks like probabilities: its rows are positive and sum to 1. A student learns from logits: store what comes before the softmax, or log(p)`,
    );
  }
  const bytes = encodeNpy(values, [known.splits[split], members, known.classes]);
  const digest = sha256Hex(bytes);
  await client.putArtifact(digest, bytes, signal);
  return digest;
}
