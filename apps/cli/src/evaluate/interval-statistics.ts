import {
  binCount,
  binEdges,
  binIndex,
  debiasedExpectedCalibrationError,
  expectedCalibrationError,
  rootMeanSquareCalibrationError,
  type BinConvention,
  type BinTotals,
  type SampleStatistics,
} from '@fidelis/fidelity';
import { meanOf, ratioOf, sharedOf, type Statistic } from '@fidelis/statistics';

export interface BinChoice {
  readonly bins: number;
  readonly convention: BinConvention;
}

/** By the path of the figure in the document. */
export type PathStatistics = Readonly<Record<string, Statistic>>;

/** One model's values per sample. */
interface ModelSamples {
  readonly correct: Uint8Array;
  readonly confidence: Float64Array;
  readonly nll: Float64Array;
  readonly brier: Float64Array;
}

/** What is said of the teacher: the same for all its students. None without labels. */
export function teacherStatistics(
  { labelled, confidenceTeacher }: SampleStatistics,
  bins: BinChoice,
): PathStatistics {
  if (labelled === undefined) return {};
  const { correctTeacher: correct, nllTeacher: nll, brierTeacher: brier } = labelled;
  return modelStatistics('teacher', { correct, nll, brier, confidence: confidenceTeacher }, bins);
}

/** A student's fidelity and, with labels, its generalisation and calibration. */
export function studentStatistics(samples: SampleStatistics, bins: BinChoice): PathStatistics {
  const { agree, agreeTop5, kl, reverseKl, jensenShannon, totalVariation, confidenceStudent, labelled } =
    samples;
  const fidelity = {
    'fidelity.top1Agreement': meanOf(agree),
    'fidelity.top5Agreement': meanOf(agreeTop5),
    ...finiteMean('fidelity.predictiveKl', kl),
    ...finiteMean('fidelity.reverseKl', reverseKl),
    'fidelity.jensenShannon': meanOf(jensenShannon),
    'fidelity.totalVariation': meanOf(totalVariation),
    ...kappaOf(samples),
  };
  if (labelled === undefined) return fidelity;
  const { correctTeacher, correctStudent: correct, nllStudent: nll, brierStudent: brier } = labelled;
  const wrongTeacher = correctTeacher.map((right) => 1 - right);
  return {
    ...fidelity,
    ...shareAmong('fidelity.agreementTeacherRight', agree, correctTeacher),
    ...shareAmong('fidelity.agreementTeacherWrong', agree, wrongTeacher),
    ...modelStatistics('student', { correct, nll, brier, confidence: confidenceStudent }, bins),
  };
}

function modelStatistics(name: string, samples: ModelSamples, bins: BinChoice): PathStatistics {
  const { correct, nll, brier } = samples;
  return {
    [`${name}.accuracy`]: meanOf(correct),
    ...finiteMean(`${name}.nll`, nll),
    [`${name}.brier`]: meanOf(brier),
    ...calibrationOf(name, samples, bins),
  };
}

/** None where a value is +∞: the mean is too, on most resamples. */
function finiteMean(path: string, values: Float64Array): PathStatistics {
  return values.every((value) => Number.isFinite(value)) ? { [path]: meanOf(values) } : {};
}

/** Share of those in `among` that are in `values`; none where there are none. */
function shareAmong(path: string, values: Uint8Array, among: Uint8Array): PathStatistics {
  if (!among.includes(1)) return {};
  return {
    [path]: ratioOf(
      values.map((value, index) => value * (among[index] ?? 0)),
      among,
    ),
  };
}

/** κ of the classes that are predicted on a resample. None where both always predict one class, which has no κ. */
function kappaOf({ predictedTeacher, predictedStudent, agree }: SampleStatistics): PathStatistics {
  const [only] = predictedTeacher;
  if ([predictedTeacher, predictedStudent].every((classes) => classes.every((index) => index === only))) {
    return {};
  }
  const classes = predictedTeacher.reduce((most, index) => Math.max(most, index + 1), 0);
  const teacher = new Float64Array(classes);
  const student = new Float64Array(
    predictedStudent.reduce((most, index) => Math.max(most, index + 1), classes),
  );
  let total = 0;
  let agreed = 0;
  return sharedOf(
    agree.length,
    (counts) => {
      teacher.fill(0);
      student.fill(0);
      total = 0;
      agreed = 0;
      for (let index = 0; index < agree.length; index++) {
        const count = counts[index] ?? 0;
        const ofTeacher = predictedTeacher[index] ?? 0;
        const ofStudent = predictedStudent[index] ?? 0;
        teacher[ofTeacher] = (teacher[ofTeacher] ?? 0) + count;
        student[ofStudent] = (student[ofStudent] ?? 0) + count;
        total += count;
        agreed += count * (agree[index] ?? 0);
      }
    },
    {
      'fidelity.cohenKappa': () => {
        const chance = teacher.reduce((sum, count, index) => sum + count * (student[index] ?? 0), 0);
        const beyond = total * total - chance;
        return beyond === 0 ? NaN : (total * agreed - chance) / beyond;
      },
    },
  );
}

/** The calibration errors of equal-width bins, from the sums of each bin on a resample. */
function calibrationOf(
  name: string,
  { correct, confidence }: ModelSamples,
  { bins, convention }: BinChoice,
): PathStatistics {
  const edges = binEdges(bins);
  // Each bin twice, for those that are wrong and those that are right: two sums a sample instead of three.
  const half = Uint32Array.from(
    confidence,
    (value, index) => 2 * binIndex(edges, value, convention) + (correct[index] ?? 0),
  );
  const counted = new Uint32Array(2 * binCount(bins, convention));
  const sure = new Float64Array(counted.length);
  let totals: BinTotals = { count: [], correct: [], confidence: [] };
  return sharedOf(
    correct.length,
    (counts) => {
      counted.fill(0);
      sure.fill(0);
      for (let index = 0; index < half.length; index++) {
        const count = counts[index] ?? 0;
        const at = half[index] ?? 0;
        counted[at] = (counted[at] ?? 0) + count;
        sure[at] = (sure[at] ?? 0) + count * (confidence[index] ?? 0);
      }
      totals = { count: pairSums(counted), correct: oddOnes(counted), confidence: pairSums(sure) };
    },
    {
      [`${name}.ece`]: () => expectedCalibrationError(totals),
      [`${name}.rmsce`]: () => rootMeanSquareCalibrationError(totals),
      [`${name}.eceDebiased`]: () => debiasedExpectedCalibrationError(totals),
    },
  );
}

function pairSums(halves: Uint32Array | Float64Array): number[] {
  return Array.from(
    { length: halves.length / 2 },
    (_, bin) => (halves[2 * bin] ?? 0) + (halves[2 * bin + 1] ?? 0),
  );
}

function oddOnes(halves: Uint32Array): number[] {
  return Array.from({ length: halves.length / 2 }, (_, bin) => halves[2 * bin + 1] ?? 0);
}
