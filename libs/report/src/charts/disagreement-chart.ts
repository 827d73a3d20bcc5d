import * as Plot from '@observablehq/plot';
import { classesShown, type ConfusedPair } from '../disagreement.js';
import { drawn } from '../drawing.js';
import type { Markup } from '../markup.js';

/** More rows than this cannot be told apart on a page. */
export const MOST_CLASSES_DRAWN = 120;
/** Up to this many classes a cell has room for its count. */
const COUNTS_UP_TO = 20;
const SIZE = 600;
const FAINTEST = 0.1;

/**
 * Disagreements by class: rows are the teacher's predictions, columns the student's, and the depth of a cell is the share of the row. The
 * diagonal, where they agree, is left pale, or it would drown all else.
 */
export function disagreementChart(
  name: string,
  pairs: readonly ConfusedPair[],
  classes: number,
  labels: readonly string[],
): Markup {
  const shown = classesShown(pairs, classes, MOST_CLASSES_DRAWN);
  const visible = new Set(shown);
  const cells = pairs.filter(({ teacher, student }) => visible.has(teacher) && visible.has(student));
  const deepest = Math.max(0, ...cells.map(({ share }) => share));
  const label = (index: number): string => labels[index] ?? String(index);
  const position = { x: 'student', y: 'teacher' } as const;
  const every = Math.ceil(shown.length / 25);
  const ticks = shown.filter((_, index) => index % every === 0);
  const inset = shown.length > 40 ? 0 : 0.5;
  return drawn(
    {
      width: SIZE,
      height: SIZE,
      marginLeft: 66,
      marginTop: 58,
      marginRight: 8,
      marginBottom: 8,
      padding: 0,
      x: {
        type: 'band',
        domain: shown,
        axis: 'top',
        label: "student's prediction",
        labelAnchor: 'center',
        labelArrow: 'none',
        ticks,
        tickFormat: label,
        tickSize: 3,
        ...(shown.length > 10 ? { tickRotate: -60 } : {}),
      },
      y: {
        type: 'band',
        domain: shown,
        label: "teacher's prediction",
        labelAnchor: 'center',
        labelArrow: 'none',
        ticks,
        tickFormat: label,
        tickSize: 3,
      },
      opacity: { type: 'identity' },
      marks: [
        Plot.frame({ stroke: 'var(--line)' }),
        Plot.cell(shown, {
          x: (index: number) => index,
          y: (index: number) => index,
          fill: 'var(--line)',
          fillOpacity: 0.6,
          inset,
        }),
        Plot.cell(cells, {
          ...position,
          inset,
          fill: 'var(--heat)',
          fillOpacity: (pair: ConfusedPair) => depth(pair.share, deepest),
          title: ({ teacher, student, count, share }: ConfusedPair) =>
            `teacher ${label(teacher)}, student ${label(student)}: ${count} samples, ${(share * 100).toFixed(1)} % of the row`,
        }),
        ...(shown.length > COUNTS_UP_TO
          ? []
          : [
              Plot.text(cells, {
                ...position,
                text: ({ count }: ConfusedPair) => String(count),
                fill: 'var(--ink)',
                stroke: 'var(--panel)',
                strokeWidth: 3,
                fontSize: shown.length > 12 ? 9 : 12,
              }),
            ]),
      ],
    },
    `Disagreement matrix of the teacher and ${name}`,
  );
}

/** Opacity that still shows a single sample: a square root, from FAINTEST to 1. */
function depth(share: number, deepest: number): number {
  return FAINTEST + (1 - FAINTEST) * Math.sqrt(share / deepest);
}

/** The scale of the depths, from nothing to the deepest share. */
export function depthLegend(deepest: number): Markup {
  const steps = Array.from({ length: 24 }, (_, index) => ((index + 0.5) / 24) * deepest);
  const half = deepest / 48;
  return drawn(
    {
      width: 260,
      height: 44,
      marginLeft: 12,
      marginRight: 24,
      marginTop: 18,
      marginBottom: 16,
      x: {
        domain: [0, deepest],
        label: 'share of the row',
        labelAnchor: 'left',
        labelArrow: 'none',
        ticks: 4,
        tickFormat: '.1%',
        axis: 'bottom',
        labelOffset: -18,
      },
      y: { axis: null },
      opacity: { type: 'identity' },
      marks: [
        Plot.rect(steps, {
          x1: (share: number) => share - half,
          x2: (share: number) => share + half,
          y1: 0,
          y2: 1,
          fill: 'var(--heat)',
          fillOpacity: (share: number) => depth(share, deepest),
        }),
      ],
    },
    'Scale of the disagreement matrix',
  );
}
