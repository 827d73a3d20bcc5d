import type { EvaluationRecord, Execution } from '@fidelis/contracts';
import type { RunDetails } from '../gateway/documents.js';
import { decimal, moment, optional, percent, unbounded } from '../render/figures.js';
import { NO_SPEED, stageText } from '../render/stage-view.js';
import { padEnd, type Style } from '../render/style.js';
import { renderTable, type Column } from '../render/table.js';
import { runStages } from './run-stages.js';

const FIDELITY_COLUMNS: readonly Column[] = [
  { title: 'set' },
  { title: 'epoch', align: 'right' },
  { title: 'agreement', align: 'right' },
  { title: 'top-5', align: 'right' },
  { title: 'kappa', align: 'right' },
  { title: 'KL (nats)', align: 'right' },
  { title: 'JS (nats)', align: 'right' },
];

const MODEL_COLUMNS: readonly Column[] = [
  { title: 'set' },
  { title: 'epoch', align: 'right' },
  { title: 'model' },
  { title: 'accuracy', align: 'right' },
  { title: 'top-5', align: 'right' },
  { title: 'NLL (nats)', align: 'right' },
  { title: 'Brier', align: 'right' },
  { title: 'ECE', align: 'right' },
];

/** Distinct ones: the three are the same in the end, or something was lost on the way. */
function framesText({ published, consumed, trained, closed }: RunDetails['frames']): string {
  const counts = `${published} published, ${consumed} consumed, ${trained} trained`;
  if (closed === null) return counts;
  return closed ? `${counts}: the account closes` : `${counts}: THE ACCOUNT DOES NOT CLOSE`;
}

function producerText(producer: RunDetails['lineage']['producer']): string {
  if (producer === null) return '–';
  const { backend, backendVersion, threads, platform } = producer;
  return `${backend} ${backendVersion}, ${threads} thread(s), ${platform}`;
}

/** Everything about a run, for people. */
export function renderRunDetails(run: RunDetails, style: Style): string {
  const { lineage, frames, progress } = run;
  const facts: [string, string][] = [
    ['run', `${style.bold(run.id)} (${run.name})`],
    ['state', run.state],
    ['created', `${moment(run.createdAt)} UTC`],
    ['ended', run.endedAt === null ? '–' : `${moment(run.endedAt)} UTC`],
    ['attempts', String(run.attempts)],
    ['dataset', `${lineage.dataset.name} ${style.dim(lineage.dataset.digest)}`],
    ['teacher', `${lineage.teacherId ?? '–'} ${style.dim(lineage.teacherDigest ?? '')}`.trimEnd()],
    ['stream', lineage.streamKey ?? '–'],
    ['frames', framesText(frames)],
    ['weights', lineage.weightsDigest ?? '–'],
    ['produced by', producerText(lineage.producer)],
    ['logits by', producerText(lineage.teacherProducer)],
    ['executed', executionText(lineage.execution)],
    ['waited', `${decimal(progress.waitSeconds, 1)} s for the teacher`],
    ['logs', `correlation id ${run.correlationId}`],
  ];
  const stages = runStages(run).map(
    (stage) =>
      `  ${padEnd(stage.label, 11)} ${stage.endedAs !== undefined && stage.state === 'failed' ? stage.endedAs : stage.state}: ${stageText(stage, NO_SPEED)}`,
  );
  const sections = [
    facts.map(([name, value]) => `${padEnd(name, 12)} ${value}`).join('\n'),
    stages.join('\n'),
  ];
  if (run.error !== null) sections.push(`${style.red(`error ${run.error.code}`)}: ${run.error.message}`);
  if (run.evaluations.length > 0) {
    sections.push(renderTable(FIDELITY_COLUMNS, run.evaluations.map(fidelityRow), style));
    sections.push(renderTable(MODEL_COLUMNS, run.evaluations.flatMap(modelRows), style));
  }
  return sections.join('\n\n');
}

/** How the student's steps ran, and why not as graphs. */
function executionText(execution: Execution | null): string {
  if (execution === null) return '–';
  const { mode, reason } = execution;
  const how = mode === 'graph' ? 'as a graph' : 'one operation after the other';
  return reason === null ? how : `${how} (${reason})`;
}

function fidelityRow({ set, fidelity, ...evaluation }: EvaluationRecord): string[] {
  return [
    set,
    epochOf(evaluation),
    percent(fidelity.top1Agreement),
    optional(fidelity.top5Agreement, percent),
    optional(fidelity.cohenKappa, decimal),
    unbounded(fidelity.predictiveKl),
    optional(fidelity.jensenShannon, decimal),
  ];
}

function modelRows({ set, teacher, student, ...evaluation }: EvaluationRecord): string[][] {
  return Object.entries({ teacher, student }).map(([model, figures]) => [
    set,
    epochOf(evaluation),
    model,
    percent(figures.accuracy),
    optional(figures.top5Accuracy, percent),
    unbounded(figures.nll),
    optional(figures.brier, decimal),
    decimal(figures.ece),
  ]);
}

function epochOf({ epoch, final }: Pick<EvaluationRecord, 'epoch' | 'final'>): string {
  return final ? `${epoch} (final)` : String(epoch);
}
