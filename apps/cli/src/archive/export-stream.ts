import { setTimeout as sleep } from 'node:timers/promises';
import {
  mixesSamples,
  sampleSources,
  samplesOfView,
  writeArchive,
  type ArchiveManifest,
  type ArchiveProgress,
  type SplitPredictions,
} from '@fidelis/archive';
import { FidelisError, type Split } from '@fidelis/contracts';
import {
  createSequenceView,
  createTableView,
  datasetInfoOf,
  loadDatasetOf,
  loadOthers,
  type SequenceView,
  type TableView,
} from '@fidelis/data';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { GET_STREAM, TEACHER_PREDICTIONS, type StreamView } from '../gateway/operation-documents.js';
import { framesOfBody } from './frame-body.js';

const PREDICTIONS_DEADLINE_MS = 600_000;
const LOOK_AGAIN_MS = 500;

export interface ExportOptions {
  /** Splits of which the teacher's logits go with it. */
  readonly predictions: readonly Split[];
  /** Also a stream of which not all steps are stored. */
  readonly partial: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ArchiveProgress) => void;
}

/**
 * Writes a stored stream into a directory: the frames from the gateway, the ids of their samples from the dataset that is here.
 *
 * @throws FidelisError STREAM.NOT_FOUND, STREAM.EXPIRED, STREAM.GONE, STREAM.NOT_READY, DATASET.*, TEACHER.FAILED, and as writeArchive
 */
export async function exportStream(
  client: GatewayClient,
  key: string,
  directory: string,
  options: ExportOptions,
): Promise<ArchiveManifest> {
  const { signal, onProgress } = options;
  const { stream } = await client.request(GET_STREAM, { key }, signal);
  const { firstStep, publishedSteps } = stream;
  if (!options.partial) requireWhole(stream);
  const view = await openView(stream);
  const predictions = await predictionsOf(client, stream, options);
  const body = await client.download(`/streams/${key}/frames?from=${firstStep}&to=${publishedSteps}`, signal);
  const header = {
    streamKey: stream.key,
    teacherId: stream.teacherId,
    teacherDigest: stream.teacherDigest,
    view: stream.view,
    samples: [...sampleSources(stream.view, (dataset, split) => datasetInfoOf(dataset).splits[split])],
    codec: stream.codec,
    members: stream.members,
    classes: stream.classes,
    parts: stream.parts,
    partRows: stream.partRows,
    mixing: mixesSamples(view),
    producer: stream.producers.at(-1)?.fingerprint ?? null,
    firstStep,
    steps: publishedSteps - firstStep,
  };
  return writeArchive(directory, header, framesOfBody(body), samplesOfView(view), {
    predictions,
    signal,
    onProgress,
  });
}

/** @throws FidelisError STREAM.GONE */
function requireWhole({ key, state, steps, firstStep, publishedSteps }: StreamView): void {
  if (state === 'complete' && firstStep === 0) return;
  // The gateway says what there is to say of one that has nothing.
  if (publishedSteps <= firstStep) return;
  const stored = `steps ${firstStep} to ${publishedSteps - 1} of ${steps}`;
  throw new FidelisError(
    'STREAM.GONE',
    `stream ${key} is ${state} and has ${stored}: wait until it is complete, or export what there is with --partial`,
    { details: { key, state, firstStep, publishedSteps, steps } },
  );
}

async function openView({ view }: StreamView): Promise<TableView | SequenceView> {
  const dataset = await loadDatasetOf(view.dataset);
  if (view.kind === 'table') return createTableView(dataset, view);
  return createSequenceView(dataset, view, await loadOthers(view));
}

async function predictionsOf(
  client: GatewayClient,
  { teacherId }: StreamView,
  { predictions, signal }: ExportOptions,
): Promise<SplitPredictions[]> {
  const found: SplitPredictions[] = [];
  for (const split of predictions) {
    const artifact = await predictionsArtifact(client, teacherId, split, signal);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await client.download(`/artifacts/${artifact}`, signal)) chunks.push(chunk);
    // Of its own, and so aligned to four bytes.
    const bytes = Uint8Array.from(Buffer.concat(chunks));
    found.push({ split, values: new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4)) });
  }
  return found;
}

async function predictionsArtifact(
  client: GatewayClient,
  teacherId: string,
  split: Split,
  signal: AbortSignal,
): Promise<string> {
  const deadline = performance.now() + PREDICTIONS_DEADLINE_MS;
  while (performance.now() < deadline) {
    const { teacherPredictions } = await client.request(TEACHER_PREDICTIONS, { teacherId, split }, signal);
    if (teacherPredictions.artifact !== null) return teacherPredictions.artifact;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
  throw new FidelisError(
    'TEACHER.FAILED',
    `teacher ${teacherId} did not say what it predicts on ${split} within ${PREDICTIONS_DEADLINE_MS / 60_000} minutes: see its log, or leave it out with --predictions none`,
    { details: { teacherId, split } },
  );
}
