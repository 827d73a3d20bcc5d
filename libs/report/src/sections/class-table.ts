import { figureText, wholeText } from '../figure-text.js';
import { html, type Markup } from '../markup.js';
import type { ClassFigures } from '../report-model.js';

/** One line per class. */
export function classTable(perClass: readonly ClassFigures[], labelled: boolean): Markup {
  return html`<div class="scroll tall">
    <table>
      <thead>
        <tr>
          <th>class</th>
          <th>teacher predicts it</th>
          <th>agreement</th>
          ${
            labelled
              ? html`<th>samples</th>
                  <th>teacher's accuracy</th>
                  <th>student's accuracy</th>`
              : ''
          }
        </tr>
      </thead>
      <tbody>
        ${perClass.map((figures) => classRow(figures, labelled))}
      </tbody>
    </table>
  </div>`;
}

function classRow(figures: ClassFigures, labelled: boolean): Markup {
  const { label, teacherPredicts, agreement, samples = 0, teacherAccuracy, studentAccuracy } = figures;
  return html`<tr>
    <th scope="row">${label}</th>
    <td>${wholeText(teacherPredicts)}</td>
    ${shareCell(agreement)}${
      labelled
        ? html`<td>${wholeText(samples)}</td>
            ${shareCell(teacherAccuracy)}${shareCell(studentAccuracy)}`
        : ''
    }
  </tr> `;
}

/** The share as a number with a bar behind it. */
function shareCell(share: number | null | undefined): Markup {
  if (share === undefined || share === null) return html`<td>–</td>`;
  return html`<td class="share" style="--share:${(share * 100).toFixed(2)}%">
    ${figureText(share, 'share')}
  </td>`;
}
