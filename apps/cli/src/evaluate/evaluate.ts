import { basename } from 'node:path';
import { renderReport } from '@fidelis/report';
import type { Invocation } from '../command-host.js';
import type { EvaluateOptions } from '../commands/evaluate.js';
import { createEvaluation, evaluationDocument } from './evaluation.js';
import { largeNotice } from './large-notice.js';
import { openInputs, type Inputs } from './open-inputs.js';
import { assertWritable, writeReport } from './report-file.js';
import { reportModel } from './report-model.js';
import { scoreInputs } from './score-inputs.js';
import { terminalReport } from './terminal-report.js';
import { watchedTable } from './watched-table.js';
import { WorkProgress } from './work-progress.js';

/** @throws FidelisError REQUEST.INVALID for files and values that cannot be evaluated */
export async function evaluate({ output, signal }: Invocation, options: EvaluateOptions): Promise<void> {
  const { kind, bins, convention, seed, resamples, html } = options;
  const fast = options.fast === true;
  const intervals = fast ? 'none' : options.intervals;
  const perSample = !fast && (intervals !== 'none' || options.student.length > 1);
  const settings = { kind, bins, convention, seed, resamples, fast, intervals, perSample };
  if (html !== undefined) await assertWritable(html);
  const inputs = await openInputs(options.teacher, options.student, options.labels, signal);
  const { rows: n, classes, labels } = inputs;
  const notice = largeNotice(inputs, settings);
  if (notice !== undefined) output.message(notice);
  const progress = new WorkProgress(output, signal);
  try {
    const scores = await scoreInputs(watched(inputs, progress), settings, signal);
    const shape = { n, classes, labelled: labels !== undefined };
    const evaluation = await createEvaluation(scores, shape, settings, progress);
    progress.end();
    if (html !== undefined) {
      await writeReport(html, renderReport(reportModel(evaluation, basename(inputs.teacher.text))));
      output.message(`report: ${html}`);
    }
    output.result(evaluationDocument(evaluation), () => terminalReport(evaluation, output.style));
  } finally {
    progress.end();
  }
}

/** The inputs, with their reading shown: all files are read side by side, so the teacher's rows tell how far they are. */
function watched(inputs: Inputs, progress: WorkProgress): Inputs {
  const table = watchedTable(inputs.teacher.table, (done, reading) =>
    progress.advance({
      label: reading === 1 ? 'scoring' : 'refining',
      done,
      total: inputs.rows,
      unit: 'samples',
      ...(reading === 1 ? {} : { note: `reading ${reading} of commonly 6, for the temperatures` }),
    }),
  );
  return { ...inputs, teacher: { ...inputs.teacher, table } };
}
