import { confidenceHistogram, reliabilityChart } from './charts/reliability-chart.js';
import { figureText, intervalText, wholeText } from './figure-text.js';
import { html, type Markup } from './markup.js';
import { PAGE_STYLE } from './page-style.js';
import type { DiagramBin, ReportModel, StudentView } from './report-model.js';
import { classTable } from './sections/class-table.js';
import { comparisonTable } from './sections/comparison-table.js';
import { definitions } from './sections/definitions.js';
import { disagreement } from './sections/disagreement-section.js';
import { figuresTable } from './sections/figures-table.js';

/**
 * The report of an evaluation as one HTML file that needs nothing else: no script, no font, no image, no network. It follows the reader's
 * light or dark theme.
 */
export function renderReport(model: ReportModel): string {
  const { n, classes, kind, labelled, teacher, students, comparisons, method } = model;
  const names = students.map(({ name }) => name).join(', ');
  const question =
    students.length === 1
      ? `How faithful is ${names} to its teacher?`
      : `How faithful are ${names} to their teacher?`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${question}</title>
        <style>
          ${PAGE_STYLE}
        </style>
      </head>
      <body>
        <main>
          <h1>${question}</h1>
          <p class="facts">
            teacher ${teacher.name} · ${wholeText(n)} samples · ${classes} classes ·
            ${kind}${labelled ? '' : ' · without labels'}
          </p>
          ${students.map((student) => lead(student, students.length > 1))}
          <h2>Figures</h2>
          ${figuresTable(model)} ${method === undefined ? '' : html`<p class="note">${method}</p>`}
          ${
            comparisons.length === 0
              ? ''
              : html`<h2>Do the students differ?</h2>
                  ${comparisonTable(comparisons)}`
          }
          ${labelled ? reliability(model) : ''} ${fidelityCalibration(model)}
          ${students.map((student) => disagreement(student, model))}
          <h2>By class</h2>
          ${classTable(students, labelled)}
          <h2>Definitions</h2>
          ${definitions(model)}
        </main>
      </body>
    </html> `;
  return page.text;
}

function lead({ name, fidelity, intervals }: StudentView, named: boolean): Markup {
  const { top1Agreement, predictiveKl } = fidelity;
  const interval = intervals['fidelity.top1Agreement'];
  return html`<p class="lead">
    ${named ? name : 'The student'} gives its teacher's answer on
    <strong>${figureText(top1Agreement, 'share')}</strong> of the
    samples${interval === undefined ? '' : ` (${intervalText(interval, 'share')})`}; the predictive KL is
    <strong>${figureText(predictiveKl, 'nats')}</strong> nats.
  </p> `;
}

const KEY = html`<span class="key first"></span>`;
const GAP_KEY = html`<span class="key gap"></span>`;

function reliability({ teacher, students }: ReportModel): Markup {
  const charts = [
    chart(`teacher: ${teacher.name}`, teacher.diagram, teacher.figures.ece, 'accuracy'),
    ...students.map(({ name, diagram, student }) =>
      chart(`student: ${name}`, diagram, student.ece, 'accuracy'),
    ),
  ];
  return html`<h2>Reliability and confidence</h2>
    <p class="note">
      ${KEY}accuracy of the bin${GAP_KEY}gap to its mean confidence. On the dashed line a model is calibrated;
      bars below it are overconfident.
    </p>
    <div class="charts">${charts}</div>`;
}

function fidelityCalibration({ students }: ReportModel): Markup {
  return html`<h2>Does the student know where it departs from its teacher?</h2>
    <p class="note">
      ${KEY}agreement with the teacher in the bin${GAP_KEY}gap to the student's mean confidence. On the dashed
      line the student's confidence is the chance that its teacher answers the same (fidelity calibration); no
      labels are needed.
    </p>
    <div class="charts">
      ${students.map(({ name, calibration }) => chart(`student: ${name}`, calibration, undefined, 'agreement'))}
    </div>`;
}

function chart(
  title: string,
  bins: readonly DiagramBin[] | undefined,
  ece: number | null | undefined,
  what: 'accuracy' | 'agreement',
): Markup {
  if (bins === undefined) return html``;
  return html`<figure>
    <h3>${title}</h3>
    ${reliabilityChart(title, bins, what)}${confidenceHistogram(title, bins)}
    ${ece === undefined ? '' : html`<figcaption>ECE ${figureText(ece, 'number')}</figcaption>`}
  </figure> `;
}
