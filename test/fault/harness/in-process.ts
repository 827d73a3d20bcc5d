import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ArtifactStore } from '@fidelis/bus';
import {
  experimentSpecSchema,
  resolveView,
  studentSeed,
  type DatasetRef,
  type ExperimentSpecInput,
} from '@fidelis/contracts';
import { loadDataset } from '@fidelis/data';
import { createTemporaryDirectory } from '@fidelis/testing';
import type { FaultStack } from './fault-stack.js';

const CHILD = fileURLToPath(new URL('./in-process.child.mjs', import.meta.url));

/**
 * Distils the spec's student from the teacher with these weights in one process, without services and bus.
 * @returns the digest of the student's weights
 */
export async function weightsInProcess(
  stack: FaultStack,
  spec: ExperimentSpecInput,
  teacherWeights: string,
): Promise<string> {
  const parsed = experimentSpecSchema.parse(spec);
  const { teacher, student, seed, codec } = parsed;
  const { name, digest } = await loadDataset(parsed.dataset);
  const dataset: DatasetRef = { name, digest };
  const refOf = (): DatasetRef => dataset;
  const view = resolveView(parsed.view, {
    ...{ dataset, seed, refOf },
    split: 'train',
    batchSize: student.batchSize,
  });
  const directory = await createTemporaryDirectory('in-process');
  try {
    const specFile = join(directory.path, 'spec.json');
    const weightsFile = join(directory.path, 'teacher.safetensors');
    const own = { ...student, seed: studentSeed(parsed) };
    await writeFile(specFile, JSON.stringify({ view, codec, teacher, student: own }));
    await writeFile(weightsFile, await new ArtifactStore(stack.bus).get(teacherWeights));
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, specFile, weightsFile], {
      env: { ...process.env, TMPDIR: directory.path },
    });
    return stdout.trim();
  } finally {
    await directory.remove();
  }
}
