import { depthLegend, disagreementChart, MOST_BLOCKS } from '../charts/disagreement-chart.js';
import { blockMatrix, confusedPairs, type BlockMatrix, type ConfusedPair } from '../disagreement.js';
import { figureText, wholeText } from '../figure-text.js';
import { html, type Markup } from '../markup.js';
import type { ReportModel, StudentView } from '../report-model.js';
import { scrollable } from './scrollable.js';

/** Pairs that the list beside the matrix names. */
const PAIRS_LISTED = 20;

/** On which classes a student departs from its teacher: the matrix, and the most frequent pairs in words. */
export function disagreement(
  { name, disagreement: filled, perClass }: StudentView,
  { students, n }: ReportModel,
): Markup {
  const rowTotals = perClass.map(({ teacherPredicts }) => teacherPredicts);
  const labels = perClass.map(({ label }) => label);
  const pairs = confusedPairs(filled, rowTotals);
  const title = html`<h2>Where they disagree${students.length > 1 ? `: ${name}` : ''}</h2>`;
  const differing = pairs.reduce((sum, { count }) => sum + count, 0);
  if (differing === 0) {
    return html`${title}
      <p>Nowhere: they predict the same class on all ${wholeText(n)} samples.</p>`;
  }
  const matrix = blockMatrix(pairs, rowTotals, MOST_BLOCKS);
  return html`${title}
    <div class="beside">
      <figure>
        ${disagreementChart(name, matrix, labels)}${depthLegend(matrix)}
        <figcaption>
          Rows are the teacher's predictions, columns the student's; a cell is deeper the larger its share of
          the row. ${diagonalNote(matrix)}
        </figcaption>
      </figure>
      <div>
        <h3>${wholeText(differing)} samples; the most frequent pairs</h3>
        ${scrollable(`Most frequent disagreements of ${name}`, pairTable(pairs.slice(0, PAIRS_LISTED), labels))}
      </div>
    </div> `;
}

function diagonalNote({ classesPerBlock }: BlockMatrix): string {
  if (classesPerBlock === 1) return 'The diagonal, where they agree, is grey.';
  return `A cell stands for ${classesPerBlock} × ${classesPerBlock} neighbouring classes, and an axis names the first of each. Cells on the grey diagonal are disagreements between neighbours.`;
}

function pairTable(pairs: readonly ConfusedPair[], labels: readonly string[]): Markup {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">teacher</th>
        <th scope="col" class="text">student</th>
        <th scope="col">samples</th>
        <th scope="col">of the row</th>
      </tr>
    </thead>
    <tbody>
      ${pairs.map(
        ({ teacher, student, count, share }) =>
          html`<tr>
            <th scope="row">${labels[teacher] ?? teacher}</th>
            <td class="text">${labels[student] ?? student}</td>
            <td>${wholeText(count)}</td>
            <td>${figureText(share, 'share')}</td>
          </tr> `,
      )}
    </tbody>
  </table>`;
}
