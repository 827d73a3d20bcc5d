import type { ReliabilityBin } from '@fidelis/fidelity';
import { percent, whole } from '../render/figures.js';
import { bar } from '../render/stage-view.js';
import type { Style } from '../render/style.js';
import { renderTable, type Column } from '../render/table.js';
import type { Evaluation } from './evaluation.js';

const BAR_WIDTH = 16;
const RIGHT = { align: 'right' } as const;

interface Diagram {
  readonly title: string;
  readonly bins: readonly ReliabilityBin[];
  /** What the bars show the share of. */
  readonly what: 'accuracy' | 'agreement';
}

/**
 * Reliability diagrams as tables with bars: of the teacher and every student, or, without labels, of how often the teacher gives the
 * student's answer at each confidence of the student. Bins without a sample are left out.
 */
export function reliabilityBars({ students }: Evaluation, style: Style): string[] {
  const teacher = students[0]?.result.teacher;
  const diagrams: Diagram[] = [
    ...(teacher === undefined
      ? []
      : [{ title: 'teacher', bins: teacher.reliability, what: 'accuracy' as const }]),
    ...students.map(({ name, result }): Diagram => {
      const title = students.length === 1 ? 'student' : name;
      return result.student === undefined
        ? { title, bins: result.fidelity.calibration.reliability, what: 'agreement' }
        : { title, bins: result.student.reliability, what: 'accuracy' };
    }),
  ];
  return diagrams.map((diagram) => barsTable(diagram, style));
}

function barsTable({ title, bins, what }: Diagram, style: Style): string {
  const columns: Column[] = [
    { title: `${title}: bin` },
    { title: what },
    { title: '', ...RIGHT },
    { title: 'confidence', ...RIGHT },
    { title: 'gap', ...RIGHT },
    { title: 'samples', ...RIGHT },
  ];
  const rows = bins.flatMap(({ lower, upper, count, accuracy, confidence }) => {
    if (accuracy === null || confidence === null) return [];
    const gap = accuracy - confidence;
    return [
      [
        lower === upper ? 'exactly 1' : `${lower.toFixed(3)} – ${upper.toFixed(3)}`,
        `▕${style.cyan(bar(accuracy, BAR_WIDTH))}▏`,
        percent(accuracy, 1),
        percent(confidence, 1),
        `${gap > 0 ? '+' : ''}${(gap * 100).toFixed(1)}`,
        whole(count),
      ],
    ];
  });
  return renderTable(columns, rows, style);
}
