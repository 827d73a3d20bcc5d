import * as Plot from '@observablehq/plot';
import type { BlockCell, BlockMatrix } from '../disagreement.js';
import { drawn, drawnMark } from '../drawing.js';
import type { Markup } from '../markup.js';

/** More blocks than this on a side cannot be told apart on a page. */
export const MOST_BLOCKS = 64;
/** Up to this many classes a cell has room for its count. */
const COUNTS_UP_TO = 20;
const SIDE = 528;
const MARGINS = { marginLeft: 66, marginTop: 58, marginRight: 8, marginBottom: 8 } as const;
const FAINTEST = 0.1;
/** Depths that are drawn apart: all cells of one are a single path, which keeps the file small. */
const LEVELS = 16;

/**
 * Disagreements by class: rows are the teacher's predictions, columns the student's, and the depth of a cell is the share of the row. The
 * diagonal, where they agree, is left pale, or it would drown all else. Of many classes a cell stands for a block of neighbours.
 *
 * @param labels of the classes
 */
export function disagreementChart(name: string, matrix: BlockMatrix, labels: readonly string[]): Markup {
  const { size, classesPerBlock, cells } = matrix;
  const pixels = Math.floor(SIDE / size);
  const blocks = Array.from({ length: size }, (_, index) => index);
  const label = (block: number): string => labels[block * classesPerBlock] ?? String(block * classesPerBlock);
  const every = Math.ceil(size / 25);
  const axis = {
    type: 'band',
    domain: blocks,
    labelAnchor: 'center',
    labelArrow: 'none',
    ticks: blocks.filter((block) => block % every === 0),
    tickFormat: label,
    tickSize: 3,
  } as const;
  return drawn(
    {
      width: pixels * size + MARGINS.marginLeft + MARGINS.marginRight,
      height: pixels * size + MARGINS.marginTop + MARGINS.marginBottom,
      ...MARGINS,
      padding: 0,
      x: { ...axis, axis: 'top', label: "student's prediction", ...(size > 10 ? { tickRotate: -60 } : {}) },
      y: { ...axis, label: "teacher's prediction" },
      marks: [
        Plot.frame({ stroke: 'var(--line)' }),
        diagonal(blocks, pixels),
        ...(size > COUNTS_UP_TO ? levelPaths(cells, pixels) : countedCells(cells, label)),
      ],
    },
    `Disagreement matrix of the teacher and ${name}; the table beside it lists the most frequent pairs`,
  );
}

function diagonal(blocks: readonly number[], pixels: number): Plot.Markish {
  const squares = blocks.map((block) => square(block, block, pixels));
  return drawnMark('path', { d: squares.join(''), fill: 'var(--line)', 'fill-opacity': '0.6' });
}

/** Cells with their counts, told in full to who points at one. */
function countedCells(cells: readonly BlockCell[], label: (block: number) => string): Plot.Markish[] {
  const position = { x: 'column', y: 'row' } as const;
  const deepest = deepestShare(cells);
  return [
    Plot.cell(cells, {
      ...position,
      inset: 0.5,
      fill: 'var(--heat)',
      fillOpacity: ({ share }: BlockCell) => opacity(level(share, deepest)),
      title: ({ row, column, count, share }: BlockCell) =>
        `teacher ${label(row)}, student ${label(column)}: ${count} samples, ${(share * 100).toFixed(1)} % of the row`,
    }),
    Plot.text(cells, {
      ...position,
      text: ({ count }: BlockCell) => String(count),
      fill: 'var(--ink)',
      stroke: 'var(--panel)',
      strokeWidth: 3,
      fontSize: 10,
    }),
  ];
}

function levelPaths(cells: readonly BlockCell[], pixels: number): Plot.Markish[] {
  const deepest = deepestShare(cells);
  const paths = new Map<number, string>();
  for (const { row, column, share } of cells) {
    const depth = level(share, deepest);
    paths.set(depth, (paths.get(depth) ?? '') + square(row, column, pixels));
  }
  return [...paths].map(([depth, d]) =>
    drawnMark('path', { d, fill: 'var(--heat)', 'fill-opacity': opacity(depth) }),
  );
}

function square(row: number, column: number, pixels: number): string {
  const x = MARGINS.marginLeft + column * pixels;
  const y = MARGINS.marginTop + row * pixels;
  return `M${x} ${y}h${pixels}v${pixels}h-${pixels}z`;
}

function deepestShare(cells: readonly BlockCell[]): number {
  return cells.reduce((most, { share }) => Math.max(most, share), 0);
}

/** 1…LEVELS. The square root still shows a single sample. */
function level(share: number, deepest: number): number {
  return Math.max(1, Math.ceil(Math.sqrt(share / deepest) * LEVELS));
}

function opacity(depth: number): string {
  return (FAINTEST + ((1 - FAINTEST) * depth) / LEVELS).toFixed(3);
}

/** The scale of the depths, from nothing to the deepest share. */
export function depthLegend({ cells }: BlockMatrix): Markup {
  const deepest = deepestShare(cells);
  // The shares at which the depth changes: (k / LEVELS)² of the deepest.
  const steps = Array.from({ length: LEVELS }, (_, index) => index + 1);
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
        tickFormat: deepest > 0.05 ? '.0%' : '.1%',
        axis: 'bottom',
        labelOffset: -18,
      },
      y: { axis: null },
      marks: [
        Plot.rect(steps, {
          x1: (step: number) => deepest * ((step - 1) / LEVELS) ** 2,
          x2: (step: number) => deepest * (step / LEVELS) ** 2,
          y1: 0,
          y2: 1,
          fill: 'var(--heat)',
          fillOpacity: (step: number) => opacity(step),
        }),
      ],
    },
    'Scale of the disagreement matrix',
  );
}
