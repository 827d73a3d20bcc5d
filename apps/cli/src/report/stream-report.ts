import type { ViewSpec } from '@fidelis/contracts';
import type { StreamView } from '../gateway/operation-documents.js';
import { bytesText, duration, moment, whole } from '../render/figures.js';
import { padEnd, type Style } from '../render/style.js';
import { renderTable, type Column } from '../render/table.js';

const COLUMNS: readonly Column[] = [
  { title: 'stream' },
  { title: 'state' },
  { title: 'teacher' },
  { title: 'view' },
  { title: 'steps', align: 'right' },
  { title: 'stored', align: 'right' },
  { title: 'runs', align: 'right' },
  { title: 'last used (UTC)' },
];

export function renderStreams(
  streams: readonly StreamView[],
  usage: { readonly storedBytes: number; readonly quotaBytes: number | null },
  style: Style,
): string {
  const of = usage.quotaBytes === null ? 'without limit' : `of ${bytesText(usage.quotaBytes)}`;
  const summary = `${bytesText(usage.storedBytes)} stored, ${of}`;
  if (streams.length === 0) return `no streams (${summary})`;
  return `${renderTable(COLUMNS, streams.map(streamRow), style)}\n${style.dim(summary)}`;
}

function streamRow(stream: StreamView): string[] {
  return [
    stream.key,
    stateText(stream),
    stream.teacherId,
    viewText(stream.view),
    stepsText(stream),
    bytesText(stream.storedBytes),
    whole(stream.runs.length),
    moment(stream.lastUsedAt),
  ];
}

const RUN_COLUMNS: readonly Column[] = [
  { title: 'run' },
  { title: 'reads', align: 'right' },
  { title: 'trained step', align: 'right' },
  { title: 'checkpoint', align: 'right' },
];
const PRODUCER_COLUMNS: readonly Column[] = [
  { title: 'produced by' },
  { title: 'steps', align: 'right' },
  { title: 'backend' },
  { title: 'threads', align: 'right' },
  { title: 'last (UTC)' },
];

/** Everything about a stream, for people. */
export function renderStream(stream: StreamView, style: Style): string {
  const { members, classes, codec, parts } = stream;
  const facts: [string, string][] = [
    ['stream', style.bold(stream.key)],
    ['state', stateText(stream)],
    ['teacher', `${stream.teacherId} ${style.dim(stream.teacherDigest)}`],
    ['view', viewText(stream.view)],
    ['frames', `${members} × ${classes} logits a row, ${codec}, ${parts} part(s) a step`],
    ['steps', stepsText(stream)],
    ['stored', `${bytesText(stream.storedBytes)} (${bytesText(stream.publishedBytes)} published so far)`],
    [`${codec} costs`, codecText(stream.codecError)],
    ['incarnation', String(stream.incarnation)],
    ['teacher time', duration(stream.teacherSeconds)],
    ['created', `${moment(stream.createdAt)} UTC`],
    ['last used', `${moment(stream.lastUsedAt)} UTC`],
  ];
  const sections = [facts.map(([name, value]) => `${padEnd(name, 13)} ${value}`).join('\n')];
  if (stream.producers.length > 0) {
    const rows = stream.producers.map(({ instance, steps, fingerprint, at }) => [
      instance,
      whole(steps),
      `${fingerprint.backend} ${fingerprint.backendVersion}, ${fingerprint.platform}`,
      String(fingerprint.threads),
      moment(at),
    ]);
    sections.push(renderTable(PRODUCER_COLUMNS, rows, style));
  }
  if (stream.runs.length > 0) {
    const rows = stream.runs.map(({ runId, steps, trainedStep, checkpointStep }) => [
      runId,
      whole(steps),
      stepText(trainedStep),
      stepText(checkpointStep),
    ]);
    sections.push(renderTable(RUN_COLUMNS, rows, style));
  }
  if (stream.error !== null) sections.push(style.red(`${stream.error.code}: ${stream.error.message}`));
  return sections.join('\n\n');
}

function codecText(error: StreamView['codecError']): string {
  if (error === null) return '–';
  const { rows, meanKl, maxKl, argmaxFlips } = error;
  const figure = (kl: number): string => (kl === 0 ? '0' : Number(kl.toPrecision(2)).toExponential());
  return `mean KL ${figure(meanKl)} nats, largest ${figure(maxKl)}, ${whole(argmaxFlips)} of ${whole(rows)} answers changed`;
}

function stepText(step: number | null): string {
  return step === null || step < 0 ? '–' : whole(step);
}

function stateText({ state, waitsFor }: StreamView): string {
  if (waitsFor === null) return state;
  return waitsFor === 'pace' ? `${state}, ahead of its runs` : `${state}, waits for room`;
}

function stepsText({ publishedSteps, steps, firstStep }: StreamView): string {
  const counts = `${whole(publishedSteps)}/${whole(steps)}`;
  return firstStep > 0 && publishedSteps > firstStep ? `${counts} (from ${whole(firstStep)})` : counts;
}

/** What teacher and students see, in a few words. */
export function viewText(view: ViewSpec): string {
  const { subset } = view;
  const part =
    subset === undefined ? '' : 'size' in subset ? `, ${whole(subset.size)} samples` : `, ${subset.part}`;
  const source = `${view.dataset.name}/${view.split}${part}`;
  if (view.kind === 'table') return `${source}, table`;
  const augmented = view.augmentation.map(({ kind }) => kind).join(' + ');
  return `${source}, batches of ${view.batchSize}${augmented === '' ? '' : `, ${augmented}`}, seed ${view.seed}`;
}
