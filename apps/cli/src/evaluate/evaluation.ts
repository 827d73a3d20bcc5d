import type { EngineFidelity, EngineModel, FullPassModel } from '@fidelis/fidelity';
import type {
  Comparison,
  EvaluationDocument,
  FidelityFigures,
  GeneralisationFigures,
  Intervals,
  ModelFigures,
} from '@fidelis/report';
import { compareStudents } from './comparisons.js';
import { intervalsOf, type IntervalSettings } from './intervals.js';
import type { ScoreSettings, StudentScores } from './score-inputs.js';
import type { WorkProgress } from './work-progress.js';

export type EvaluationSettings = ScoreSettings & IntervalSettings;

export interface ScoredStudent extends StudentScores {
  readonly intervals: Intervals;
}

/** Everything that was computed; the document, the terminal's table and the report are made of it. */
export interface Evaluation {
  readonly n: number;
  readonly classes: number;
  readonly settings: EvaluationSettings;
  readonly labelled: boolean;
  readonly teacher: ModelFigures;
  readonly teacherIntervals: Intervals;
  readonly students: readonly (ScoredStudent & { readonly student: ModelFigures })[];
  readonly comparisons: readonly Comparison[];
}

/** @param scores of at least one student, all on the same samples of the same teacher */
export async function createEvaluation(
  scores: readonly StudentScores[],
  { n, classes, labelled }: Pick<Evaluation, 'n' | 'classes' | 'labelled'>,
  settings: EvaluationSettings,
  progress: WorkProgress,
): Promise<Evaluation> {
  const [first] = scores;
  const compared = scores.flatMap(({ name, samples }) => (samples === undefined ? [] : [{ name, samples }]));
  const intervals = await intervalsOf(
    compared.map(({ samples }) => samples),
    settings,
    progress,
  );
  return {
    n,
    classes,
    settings,
    labelled,
    teacher: modelFigures(first?.result.teacher, first?.full?.teacher),
    teacherIntervals: intervals.teacher,
    students: scores.map((score, index) => ({
      ...score,
      student: modelFigures(score.result.student, score.full?.student),
      intervals: intervals.students[index] ?? {},
    })),
    comparisons: await compareStudents(compared, settings.seed, progress),
  };
}

/** The document of `--json`: one student at its top level, several in a list. */
export function evaluationDocument(evaluation: Evaluation): EvaluationDocument {
  const { n, classes, settings, students, comparisons, teacherIntervals: ofTeacher } = evaluation;
  const { kind, bins, convention } = settings;
  const teacher = generalisation(evaluation.teacher);
  const evaluated = students.map(({ name, result, student, intervals }) => ({
    name,
    fidelity: fidelityFigures(result.fidelity),
    student: generalisation(student),
    intervals,
  }));
  const [only] = evaluated;
  if (evaluated.length === 1 && only !== undefined) {
    const { fidelity, student, intervals } = only;
    return {
      n,
      classes,
      kind,
      fidelity,
      teacher,
      student,
      intervals: { ...intervals, ...ofTeacher },
      bins,
      convention,
    };
  }
  return {
    n,
    classes,
    kind,
    teacher,
    students: evaluated,
    comparisons: [...comparisons],
    intervals: ofTeacher,
    bins,
    convention,
  };
}

export function fidelityFigures(fidelity: EngineFidelity): FidelityFigures {
  const { agreementTeacherRight, agreementTeacherWrong } = fidelity;
  return {
    top1Agreement: fidelity.top1Agreement,
    top5Agreement: fidelity.top5Agreement,
    predictiveKl: finite(fidelity.predictiveKl),
    reverseKl: finite(fidelity.reverseKl),
    jensenShannon: fidelity.jensenShannon,
    totalVariation: fidelity.totalVariation,
    cohenKappa: fidelity.cohenKappa,
    ...(agreementTeacherRight === undefined ? {} : { agreementTeacherRight }),
    ...(agreementTeacherWrong === undefined ? {} : { agreementTeacherWrong }),
  };
}

function modelFigures(model: EngineModel | undefined, full: FullPassModel | undefined): ModelFigures {
  if (model === undefined) return {};
  const { accuracy, nll, brier, ece, mce, rmsce, classwiseEce, eceDebiased, nullEce } = model;
  return {
    accuracy,
    nll: finite(nll),
    brier,
    ece,
    mce,
    rmsce,
    ...(full === undefined ? {} : { eceEqualMass: full.eceEqualMass }),
    classwiseEce,
    eceDebiased,
    ...(full === undefined ? {} : { smoothEce: full.smoothEce }),
    nullEce,
    ...(full === undefined ? {} : { temperature: full.temperature ?? null, eceAfter: full.eceAfter }),
  };
}

function generalisation({ eceAfter: _eceAfter, ...figures }: ModelFigures): GeneralisationFigures {
  return figures;
}

/** JSON has no infinity. */
function finite(figure: number): number | null {
  return Number.isFinite(figure) ? figure : null;
}
