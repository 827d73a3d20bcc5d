import * as Plot from '@observablehq/plot';
import { drawn } from '../drawing.js';
import type { Markup } from '../markup.js';
import type { DiagramBin } from '../report-model.js';

const WIDTH = 312;
const UNIT_DOMAIN: [number, number] = [0, 1];
const MARGINS = { marginLeft: 44, marginRight: 14 } as const;

/**
 * Bins of a width: the bin that a convention keeps for a confidence of exactly 1 has none, and is drawn with the one below it.
 */
export function barsOf(bins: readonly DiagramBin[]): DiagramBin[] {
  const bars: DiagramBin[] = [];
  for (const bin of bins) {
    const last = bars.at(-1);
    if (bin.upper > bin.lower || last === undefined) bars.push(bin);
    else bars[bars.length - 1] = joined(last, bin);
  }
  return bars;
}

function joined(into: DiagramBin, bin: DiagramBin): DiagramBin {
  const count = into.count + bin.count;
  const mean = (a: number | null, b: number | null): number | null => {
    if (a === null || b === null) return a ?? b;
    return (a * into.count + b * bin.count) / count;
  };
  return {
    lower: into.lower,
    upper: bin.upper,
    count,
    accuracy: mean(into.accuracy, bin.accuracy),
    confidence: mean(into.confidence, bin.confidence),
  };
}

/**
 * Accuracy (or agreement) by confidence, with the gap to the mean confidence of each bin and the diagonal of a calibrated model.
 */
export function reliabilityChart(
  name: string,
  bins: readonly DiagramBin[],
  what: 'accuracy' | 'agreement',
): Markup {
  const bars = barsOf(bins).filter(({ count, accuracy }) => count > 0 && accuracy !== null);
  return drawn(
    {
      width: WIDTH,
      height: 300,
      ...MARGINS,
      marginBottom: 22,
      x: { domain: UNIT_DOMAIN, label: null, ticks: 5 },
      y: { domain: UNIT_DOMAIN, label: what, labelArrow: 'none', ticks: 5, grid: true },
      marks: [
        Plot.rect(bars, {
          x1: 'lower',
          x2: 'upper',
          y1: 0,
          y2: 'accuracy',
          fill: 'var(--bar)',
          inset: 0.75,
          title: barTitle,
        }),
        Plot.rect(bars, {
          x1: 'lower',
          x2: 'upper',
          y1: 'accuracy',
          y2: 'confidence',
          fill: 'var(--gap)',
          fillOpacity: 0.45,
          stroke: 'var(--gap)',
          inset: 0.75,
          title: barTitle,
        }),
        Plot.line(
          [UNIT_DOMAIN, UNIT_DOMAIN].map(([zero, one], index) => (index === 0 ? [zero, zero] : [one, one])),
          {
            stroke: 'currentColor',
            strokeDasharray: '4 4',
            strokeOpacity: 0.7,
          },
        ),
        Plot.ruleY([0], { stroke: 'currentColor' }),
      ],
    },
    `Reliability diagram of ${name}: ${what} in each bin of confidence`,
  );
}

/** How many samples have which confidence: shares of all. */
export function confidenceHistogram(name: string, bins: readonly DiagramBin[]): Markup {
  const bars = barsOf(bins);
  const n = bars.reduce((sum, { count }) => sum + count, 0);
  const shares = bars.map((bin) => ({ ...bin, share: bin.count / Math.max(1, n) }));
  return drawn(
    {
      width: WIDTH,
      height: 120,
      ...MARGINS,
      marginTop: 18,
      marginBottom: 34,
      x: { domain: UNIT_DOMAIN, label: 'confidence', labelAnchor: 'center', labelArrow: 'none', ticks: 5 },
      y: { label: 'share of samples', labelArrow: 'none', ticks: 3, grid: true, tickFormat: '.0%' },
      marks: [
        Plot.rect(shares, {
          x1: 'lower',
          x2: 'upper',
          y1: 0,
          y2: 'share',
          fill: 'var(--bar)',
          inset: 0.75,
          title: barTitle,
        }),
        Plot.ruleY([0], { stroke: 'currentColor' }),
      ],
    },
    `Histogram of the confidence of ${name}`,
  );
}

function barTitle({ lower, upper, count, accuracy, confidence }: DiagramBin): string {
  return [
    `confidence ${lower.toFixed(3)} – ${upper.toFixed(3)}: ${count} samples`,
    ...(accuracy === null ? [] : [`accuracy ${accuracy.toFixed(4)}`]),
    ...(confidence === null ? [] : [`mean confidence ${confidence.toFixed(4)}`]),
  ].join('\n');
}
