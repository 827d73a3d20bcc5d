import {
  FIDELITY_FIGURES,
  figureText,
  GENERALISATION_FIGURES,
  intervalText,
  probabilityText,
  type FigureUnit,
} from '@fidelis/report';
import { whole } from '../render/figures.js';
import type { Style } from '../render/style.js';
import { renderTable, type Column } from '../render/table.js';
import { fidelityFigures, type Evaluation } from './evaluation.js';
import { intervalMethod } from './interval-method.js';
import { reliabilityBars } from './reliability-bars.js';

const RIGHT = { align: 'right' } as const;

/** The evaluation for a terminal: one table, the comparisons of several students, and bars for the reliability diagrams. */
export function terminalReport(evaluation: Evaluation, style: Style): string {
  const { n, classes, settings, comparisons, labelled } = evaluation;
  const head = [
    `${whole(n)} samples`,
    `${classes} classes`,
    settings.kind,
    ...(labelled ? [`${settings.bins} bins (${settings.convention})`] : ['without labels']),
  ];
  const method = evaluation.students.length === 1 ? intervalMethod(evaluation) : undefined;
  return [
    style.dim(head.join(' · ')),
    figuresTable(evaluation, style),
    ...(method === undefined ? [] : [style.dim(method)]),
    ...(comparisons.length === 0 ? [] : [comparisonTable(evaluation, style)]),
    ...reliabilityBars(evaluation, style),
  ].join('\n\n');
}

interface Cell {
  readonly value: number | null | undefined;
  readonly interval: readonly [number, number] | undefined;
}

/** With intervals beside the figures where there is one student; several leave no room for them. */
function figuresTable(evaluation: Evaluation, style: Style): string {
  const { teacher, teacherIntervals, students, settings } = evaluation;
  const withIntervals = students.length === 1 && settings.intervals !== 'none';
  const interval: Column[] = withIntervals ? [{ title: '95 %', ...RIGHT }] : [];
  const columns: Column[] = [
    { title: '' },
    { title: 'teacher', ...RIGHT },
    ...interval,
    ...students.flatMap(({ name }) => [
      { title: students.length === 1 ? 'student' : name, ...RIGHT },
      ...interval,
    ]),
  ];
  const line = (label: string, unit: FigureUnit, cells: readonly (Cell | undefined)[]): string[][] => {
    if (cells.every((cell) => cell?.value === undefined)) return [];
    const texts = cells.flatMap((cell) => [
      cell === undefined ? '' : figureText(cell.value, unit),
      ...(withIntervals
        ? [cell?.interval === undefined ? '' : style.dim(narrow(intervalText(cell.interval, unit)))]
        : []),
    ]);
    return [[`  ${label}${unit === 'nats' ? ' (nats)' : ''}`, ...texts]];
  };
  const fidelity = FIDELITY_FIGURES.flatMap(({ key, label, unit }) =>
    line(label, unit, [
      undefined,
      ...students.map(({ result, intervals }) => ({
        value: fidelityFigures(result.fidelity)[key],
        interval: intervals[`fidelity.${key}`],
      })),
    ]),
  );
  const generalisation = GENERALISATION_FIGURES.flatMap(({ key, label, unit }) =>
    line(label, unit, [
      { value: teacher[key], interval: teacherIntervals[`teacher.${key}`] },
      ...students.map(({ student, intervals }) => ({
        value: student[key],
        interval: intervals[`student.${key}`],
      })),
    ]),
  );
  const group = (title: string, rows: readonly string[][]): string[][] =>
    rows.length === 0 ? [] : [[style.bold(title)], ...rows];
  return renderTable(
    columns,
    [...group('fidelity', fidelity), ...group('generalisation and calibration', generalisation)],
    style,
  );
}

/** "63.79–64.65": four columns of figures fit a terminal of 80. */
function narrow(interval: string): string {
  return interval.replace(' – ', '–').replace(' %', '');
}

function comparisonTable({ comparisons }: Evaluation, style: Style): string {
  const columns: Column[] = [
    { title: 'first − second' },
    { title: 'of' },
    { title: 'difference', ...RIGHT },
    { title: 'test' },
    { title: 'p', ...RIGHT },
    { title: 'p, Holm', ...RIGHT },
  ];
  const rows = comparisons.map(({ first, second, on, test, method, difference, pValue, pValueHolm }) => [
    `${first} − ${second}`,
    on === 'predictiveKl' ? 'predictive KL' : on,
    `${difference > 0 ? '+' : ''}${figureText(difference, on === 'predictiveKl' ? 'number' : 'share')}`,
    `${test === 'mcnemar' ? 'McNemar' : 'permutation'}, ${method}`,
    probabilityText(pValue),
    pValueHolm < 0.05 ? style.bold(probabilityText(pValueHolm)) : probabilityText(pValueHolm),
  ]);
  return renderTable(columns, rows, style);
}
