import type { Comparison } from '../evaluation-document.js';
import { figureText, probabilityText, wholeText } from '../figure-text.js';
import { html, type Markup } from '../markup.js';
import { scrollable } from './scrollable.js';

const SUBJECTS: Readonly<Record<Comparison['on'], string>> = {
  agreement: 'agreement',
  correctness: 'accuracy',
  predictiveKl: 'predictive KL, nats',
};

/** Whether two students differ beyond chance, on each of the figures that were compared. */
export function comparisonTable(comparisons: readonly Comparison[]): Markup {
  const table = html`<table>
    <thead>
      <tr>
        <th scope="col">students</th>
        <th class="text" scope="col">of</th>
        <th scope="col">difference</th>
        <th scope="col">first only</th>
        <th scope="col">second only</th>
        <th class="text" scope="col">test</th>
        <th scope="col">p</th>
        <th scope="col">p, Holm</th>
      </tr>
    </thead>
    <tbody>
      ${comparisons.map(comparisonRow)}
    </tbody>
  </table>`;
  return html`${scrollable('Comparisons of the students', table)}
    <p class="note">
      A difference is the first student's figure less the second's on the same samples. The last column is
      corrected for all ${comparisons.length} comparisons (Holm); below 0.05 is commonly called significant.
    </p>`;
}

function comparisonRow({
  first,
  second,
  on,
  test,
  method,
  difference,
  onlyFirst,
  onlySecond,
  pValue,
  pValueHolm,
}: Comparison): Markup {
  const pairs = [onlyFirst, onlySecond].map(
    (count) => html`<td>${count === undefined ? '–' : wholeText(count)}</td>`,
  );
  const text = figureText(difference, on === 'predictiveKl' ? 'number' : 'share');
  return html`<tr>
    <th scope="row">${first} − ${second}</th>
    <td class="text">${SUBJECTS[on]}</td>
    <td>${difference > 0 ? '+' : ''}${text}</td>
    ${pairs}
    <td class="text">${test === 'mcnemar' ? 'McNemar' : 'permutation'}, ${method}</td>
    <td>${probabilityText(pValue)}</td>
    <td>
      ${pValueHolm < 0.05 ? html`<strong>${probabilityText(pValueHolm)}</strong>` : probabilityText(pValueHolm)}
    </td>
  </tr> `;
}
