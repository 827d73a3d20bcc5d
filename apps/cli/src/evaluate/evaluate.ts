import { basename } from 'node:path';
import { renderReport } from '@fidelis/report';
import type { Invocation } from '../command-host.js';
import type { EvaluateOptions } from '../commands/evaluate.js';
import { createEvaluation, evaluationDocument } from './evaluation.js';
import { openInputs } from './open-inputs.js';
import { assertWritable, writeReport } from './report-file.js';
import { reportModel } from './report-model.js';
import { scoreInputs } from './score-inputs.js';
import { terminalReport } from './terminal-report.js';

/** @throws FidelisError REQUEST.INVALID for files and values that cannot be evaluated */
export async function evaluate({ output, signal }: Invocation, options: EvaluateOptions): Promise<void> {
  const { kind, bins, convention, seed, resamples, html } = options;
  const settings = { kind, bins, convention, seed, resamples, fast: options.fast === true };
  if (html !== undefined) await assertWritable(html);
  const inputs = await openInputs(options.teacher, options.student, options.labels);
  const scores = await scoreInputs(inputs, settings, signal);
  const { rows: n, classes, labels } = inputs;
  const evaluation = createEvaluation(scores, { n, classes, labelled: labels !== undefined }, settings);
  if (html !== undefined) {
    await writeReport(html, renderReport(reportModel(evaluation, basename(inputs.teacher.text))));
    output.message(`report: ${html}`);
  }
  output.result(evaluationDocument(evaluation), () => terminalReport(evaluation, output.style));
}
