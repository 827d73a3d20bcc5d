import { FIDELITY_FIGURES, GENERALISATION_FIGURES } from '../figure-names.js';
import { html, type Markup } from '../markup.js';
import type { ReportModel } from '../report-model.js';

/** What each figure of the report is, with what was chosen for it. */
export function definitions({ students, teacher, bins, convention }: ReportModel): Markup {
  const present = (figures: object): Set<string> => new Set(Object.keys(figures));
  const fidelity = present(students[0]?.fidelity ?? {});
  const generalisation = present({ ...teacher.figures, ...students[0]?.student });
  const entries = [
    ...FIDELITY_FIGURES.filter(({ key }) => fidelity.has(key)),
    ...GENERALISATION_FIGURES.filter(({ key }) => generalisation.has(key)),
  ];
  return html`<p>
      t and s are the teacher's and the student's probabilities of a sample, p those of either, c a class, y
      the label, and the confidence is the probability of the predicted class, which is the first of the most
      probable ones. There are ${bins} equal-width bins,
      ${
        convention === 'gnosis'
          ? 'each without its lower and with its upper edge (convention gnosis)'
          : 'each with its lower and without its upper edge, and one for a confidence of exactly 1 (convention torchmetrics); the drawings show that one with the bin below it'
      }.
    </p>
    <dl>
      ${entries.map(
        ({ label, definition }) =>
          html`<dt>${label}</dt>
            <dd>${definition}</dd> `,
      )}
    </dl>`;
}
