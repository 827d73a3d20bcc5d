import { figureText, wholeText } from '../figure-text.js';
import { html, type Markup } from '../markup.js';
import type { ClassFigures, StudentView } from '../report-model.js';
import { scrollable } from './scrollable.js';

/** One line per class, with every student's figures beside the teacher's. */
export function classTable(students: readonly StudentView[], labelled: boolean): Markup {
  const [first] = students;
  const table = html`<table>
    <thead>
      <tr>
        <th scope="col">class</th>
        ${labelled ? html`<th scope="col">samples</th>` : ''}
        <th scope="col">teacher predicts it</th>
        ${labelled ? html`<th scope="col">teacher's accuracy</th>` : ''}
        ${students.map(({ name }) => studentHeads(students.length > 1 ? name : 'student', labelled))}
      </tr>
    </thead>
    <tbody>
      ${(first?.perClass ?? []).map((figures, index) => classRow(figures, index, students, labelled))}
    </tbody>
  </table>`;
  return scrollable('Figures by class', table, true);
}

function studentHeads(name: string, labelled: boolean): Markup {
  return html`<th scope="col">${name}: agreement</th>
    ${labelled ? html`<th scope="col">${name}: accuracy</th>` : ''}`;
}

function classRow(
  { label, teacherPredicts, samples = 0, teacherAccuracy }: ClassFigures,
  index: number,
  students: readonly StudentView[],
  labelled: boolean,
): Markup {
  const ofStudents = students.map(({ perClass }) => {
    const figures = perClass[index];
    return [shareCell(figures?.agreement), labelled ? shareCell(figures?.studentAccuracy) : html``];
  });
  return html`<tr>
    <th scope="row">${label}</th>
    ${labelled ? html`<td>${wholeText(samples)}</td>` : ''}
    <td>${wholeText(teacherPredicts)}</td>
    ${labelled ? shareCell(teacherAccuracy) : ''}${ofStudents.flat()}
  </tr>`;
}

/** The share as a number with a bar behind it. */
function shareCell(share: number | null | undefined): Markup {
  if (share === undefined || share === null) return html`<td>–</td>`;
  return html`<td class="share" style="--share:${Math.round(share * 100)}%">
    ${figureText(share, 'share')}
  </td>`;
}
