import { figureText, intervalText } from '../figure-text.js';
import {
  FIDELITY_FIGURES,
  GENERALISATION_FIGURES,
  type FigureName,
  type FigureUnit,
} from '../figure-names.js';
import { html, type Markup } from '../markup.js';
import type { Intervals } from '../evaluation-document.js';
import type { ReportModel } from '../report-model.js';
import { scrollable } from './scrollable.js';

interface Cell {
  readonly value: number | null | undefined;
  readonly interval?: readonly [number, number] | undefined;
}

/** Every figure of teacher and students, each with its interval below it. */
export function figuresTable({ teacher, students, labelled }: ReportModel): Markup {
  const fidelity = rowsOf(FIDELITY_FIGURES, (key) => [
    undefined,
    ...students.map(({ fidelity, intervals }) => cellOf(fidelity[key], intervals, `fidelity.${key}`)),
  ]);
  const generalisation = rowsOf(GENERALISATION_FIGURES, (key) => [
    cellOf(teacher.figures[key], teacher.intervals, `teacher.${key}`),
    ...students.map(({ student, intervals }) => cellOf(student[key], intervals, `student.${key}`)),
  ]);
  const table = html`<table class="figures">
    <thead>
      <tr>
        <td></td>
        <th scope="col">teacher</th>
        ${students.map(({ name }) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      <tr class="group">
        <th scope="colgroup" colspan="${students.length + 2}">How well the student matches its teacher</th>
      </tr>
      ${fidelity}
    </tbody>
    ${
      labelled
        ? html`<tbody>
            <tr class="group">
              <th scope="colgroup" colspan="${students.length + 2}">Generalisation and calibration</th>
            </tr>
            ${generalisation}
          </tbody>`
        : ''
    }
  </table>`;
  return scrollable('Figures', table);
}

function rowsOf<Key>(
  figures: readonly FigureName<Key>[],
  cells: (key: Key) => readonly (Cell | undefined)[],
): Markup[] {
  return figures.flatMap(({ key, label, unit }) => {
    const row = cells(key);
    if (row.every((cell) => cell?.value === undefined)) return [];
    return [
      html`<tr>
        <th scope="row">${label}${unit === 'nats' ? html` <small>nats</small>` : ''}</th>
        ${row.map((cell) => cellMarkup(cell, unit))}
      </tr> `,
    ];
  });
}

function cellMarkup(cell: Cell | undefined, unit: FigureUnit): Markup {
  if (cell === undefined) return html`<td></td>`;
  const interval =
    cell.interval === undefined
      ? ''
      : html`<span class="interval">${intervalText(cell.interval, unit)}</span>`;
  return html`<td>${figureText(cell.value, unit)}${interval}</td>`;
}

function cellOf(value: number | null | undefined, intervals: Intervals, path: string): Cell {
  return { value, interval: intervals[path] };
}
