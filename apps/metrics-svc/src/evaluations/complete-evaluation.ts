import {
  FidelisError,
  unboundedFigure,
  type ClassFiguresRecord,
  type EvaluationRecord,
  type EvaluationRequest,
} from '@fidelis/contracts';
import type {
  BinTotals,
  ClassAgreement,
  Disagreement,
  EngineFidelity,
  EngineModel,
  EvaluationEngine,
} from '@fidelis/fidelity';
import type { EvaluationDetailsRow } from './evaluation-details.entity.js';

/** All that is known of an evaluation once its last part is scored. */
export interface CompleteEvaluation {
  readonly record: EvaluationRecord;
  readonly details: Omit<EvaluationDetailsRow, 'evaluationId'>;
  /** Sums by bin, for counters. */
  readonly reliability: Readonly<Record<'teacher' | 'student' | 'fidelity', BinTotals>>;
}

/** `<runId>.<set>.<step>` */
export function evaluationId({
  runId,
  set,
  step,
}: Pick<EvaluationRequest, 'runId' | 'set' | 'step'>): string {
  return `${runId}.${set}.${step}`;
}

/** @param whole over all parts, with labels */
export function completeEvaluation(request: EvaluationRequest, whole: EvaluationEngine): CompleteEvaluation {
  const { n, classes, bins, convention, fidelity, teacher, student } = whole.result();
  const totals = whole.reliabilityTotals();
  if (!teacher || !student || !totals.teacher || !totals.student) {
    throw new FidelisError('INTERNAL', `evaluation ${evaluationId(request)} was scored without labels`);
  }
  const { runId, teacherId, set, step, epoch, final } = request;
  return {
    record: {
      id: evaluationId(request),
      runId,
      teacherId,
      set,
      step,
      epoch,
      final,
      n,
      classes,
      bins,
      convention,
      fidelity: fidelityFigures(fidelity),
      teacher: modelFigures(teacher),
      student: modelFigures(student),
      createdAt: new Date().toISOString(),
    },
    details: {
      classes,
      reliability: {
        teacher: teacher.reliability,
        student: student.reliability,
        fidelity: fidelity.calibration.reliability,
      },
      perClass: fidelity.perClass.map(classFigures),
      ...cellsBySize(fidelity.disagreement),
    },
    reliability: { teacher: totals.teacher, student: totals.student, fidelity: totals.fidelity },
  };
}

function fidelityFigures(result: EngineFidelity): EvaluationRecord['fidelity'] {
  const {
    perClass: _classes,
    disagreement: _cells,
    calibration: { reliability: _bins, ...calibration },
    agreementTeacherRight = null,
    agreementTeacherWrong = null,
    ...figures
  } = result;
  return {
    ...figures,
    agreementTeacherRight,
    agreementTeacherWrong,
    predictiveKl: unboundedFigure(figures.predictiveKl),
    reverseKl: unboundedFigure(figures.reverseKl),
    calibration,
  };
}

function modelFigures({
  reliability: _bins,
  eceVariants,
  ...figures
}: EngineModel): EvaluationRecord['student'] {
  return { ...figures, nll: unboundedFigure(figures.nll), eceVariants: [...eceVariants] };
}

function classFigures({ labels, ...seen }: ClassAgreement): ClassFiguresRecord {
  if (labels === undefined)
    throw new FidelisError('INTERNAL', `class ${seen.class} was scored without labels`);
  return { ...seen, labels };
}

function cellsBySize(
  cells: readonly Disagreement[],
): Pick<EvaluationDetailsRow, 'agreements' | 'disagreements'> {
  // The engine's cells are by teacher's, then student's class: a stable sort leaves equal ones so.
  const sorted = cells.toSorted((a, b) => b.count - a.count);
  const triples = (of: readonly Disagreement[]): number[] =>
    of.flatMap(({ teacher, student, count }) => [teacher, student, count]);
  return {
    agreements: triples(sorted.filter(({ teacher, student }) => teacher === student)),
    disagreements: triples(sorted.filter(({ teacher, student }) => teacher !== student)),
  };
}
