import { evaluationSets } from '@fidelis/contracts';
import { decimal, percent, unbounded, whole } from '../render/figures.js';
import type { Style } from '../render/style.js';
import { renderTable, type Column } from '../render/table.js';
import type { RunDocument, SetFigures } from './run-document.js';

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'teacher', align: 'right' },
  { title: 'student', align: 'right' },
];

/** The one table: teacher | student on each set, and how well the student matches its teacher there. */
export function renderFigures({ sets, bins }: Pick<RunDocument, 'sets' | 'bins'>, style: Style): string {
  const rows = evaluationSets.flatMap((set) => {
    const figures = sets[set];
    return figures === undefined
      ? []
      : [[style.bold(`${set} (${whole(figures.n)} images)`)], ...setRows(figures, bins, style)];
  });
  return renderTable(COLUMNS, rows, style);
}

function setRows({ teacher, student, fidelity }: SetFigures, bins: number, style: Style): string[][] {
  return [
    ['  accuracy', percent(teacher.accuracy), percent(student.accuracy)],
    ['  NLL (nats)', unbounded(teacher.nll), unbounded(student.nll)],
    [`  ECE (${bins} bins)`, decimal(teacher.ece), decimal(student.ece)],
    ['  top-1 agreement', '', style.green(percent(fidelity.top1Agreement))],
    ['  predictive KL (nats)', '', style.green(unbounded(fidelity.predictiveKl))],
  ];
}
