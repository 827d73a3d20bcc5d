import { binCount, binEdges, binIndex, type BinConvention, type SampleStatistics } from '@fidelis/fidelity';
import type { Intervals } from '@fidelis/report';
import { bootstrap, functionalOf, meanOf, ratioOf, type Statistic } from '@fidelis/statistics';

export const INTERVAL_LEVEL = 0.95;

export interface IntervalSettings {
  readonly bins: number;
  readonly convention: BinConvention;
  readonly seed: number;
  readonly resamples: number;
}

/** One model's values per sample. */
interface ModelSamples {
  readonly correct: Uint8Array;
  readonly confidence: Float64Array;
  readonly nll: Float64Array;
  readonly brier: Float64Array;
}

/** Intervals of what is said of the teacher: the same for all its students. */
export function teacherIntervals(samples: SampleStatistics, settings: IntervalSettings): Intervals {
  const { labelled, confidenceTeacher } = samples;
  if (labelled === undefined) return {};
  const { correctTeacher: correct, nllTeacher: nll, brierTeacher: brier } = labelled;
  return intervalsOf(
    modelStatistics('teacher', { correct, nll, brier, confidence: confidenceTeacher }, settings),
    settings,
  );
}

/** Intervals of a student's fidelity and, with labels, of its generalisation and calibration. */
export function studentIntervals(samples: SampleStatistics, settings: IntervalSettings): Intervals {
  const { agree, kl, reverseKl, jensenShannon, totalVariation, confidenceStudent, labelled } = samples;
  const fidelity = {
    'fidelity.top1Agreement': meanOf(agree),
    ...finiteMean('fidelity.predictiveKl', kl),
    ...finiteMean('fidelity.reverseKl', reverseKl),
    'fidelity.jensenShannon': meanOf(jensenShannon),
    'fidelity.totalVariation': meanOf(totalVariation),
  };
  if (labelled === undefined) return intervalsOf(fidelity, settings);
  const { correctTeacher, correctStudent: correct, nllStudent: nll, brierStudent: brier } = labelled;
  return intervalsOf(
    {
      ...fidelity,
      ...shareAmong('fidelity.agreementTeacherRight', agree, correctTeacher),
      ...shareAmong(
        'fidelity.agreementTeacherWrong',
        agree,
        correctTeacher.map((right) => 1 - right),
      ),
      ...modelStatistics('student', { correct, nll, brier, confidence: confidenceStudent }, settings),
    },
    settings,
  );
}

function modelStatistics(
  name: string,
  { correct, confidence, nll, brier }: ModelSamples,
  settings: IntervalSettings,
): Record<string, Statistic> {
  return {
    [`${name}.accuracy`]: meanOf(correct),
    ...finiteMean(`${name}.nll`, nll),
    [`${name}.brier`]: meanOf(brier),
    [`${name}.ece`]: eceOf(correct, confidence, settings),
  };
}

/** None where a value is +∞: the mean is too, on most resamples. */
function finiteMean(path: string, values: Float64Array): Record<string, Statistic> {
  return values.every((value) => Number.isFinite(value)) ? { [path]: meanOf(values) } : {};
}

/** Share of those in `among` that are in `values`; none where there are none. */
function shareAmong(path: string, values: Uint8Array, among: Uint8Array): Record<string, Statistic> {
  if (!among.includes(1)) return {};
  return {
    [path]: ratioOf(
      values.map((value, index) => value * (among[index] ?? 0)),
      among,
    ),
  };
}

/** ECE = Σ_b |Σ_{i in b} c_i (correct_i − confidence_i)| / Σ c_i, of samples that count c_i times. */
function eceOf(
  correct: Uint8Array,
  confidence: Float64Array,
  { bins, convention }: IntervalSettings,
): Statistic {
  const edges = binEdges(bins);
  const bin = Uint32Array.from(confidence, (value) => binIndex(edges, value, convention));
  const gap = confidence.map((value, index) => (correct[index] ?? 0) - value);
  const sums = new Float64Array(binCount(bins, convention));
  return functionalOf(correct.length, (counts) => {
    sums.fill(0);
    let total = 0;
    for (let index = 0; index < gap.length; index++) {
      const count = counts[index] ?? 0;
      const at = bin[index] ?? 0;
      sums[at] = (sums[at] ?? 0) + count * (gap[index] ?? 0);
      total += count;
    }
    return sums.reduce((sum, value) => sum + Math.abs(value), 0) / total;
  });
}

function intervalsOf(
  statistics: Record<string, Statistic>,
  { seed, resamples }: IntervalSettings,
): Intervals {
  const intervals = bootstrap(statistics, { seed, resamples, level: INTERVAL_LEVEL });
  return Object.fromEntries(
    Object.entries(intervals).map(([path, { lo, hi }]): [string, [number, number]] => [path, [lo, hi]]),
  );
}
