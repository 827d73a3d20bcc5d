import type { ClassAgreement } from '@fidelis/fidelity';
import type { ClassFigures, ReportModel } from '@fidelis/report';
import { fidelityFigures, type Evaluation } from './evaluation.js';
import { intervalMethod } from './interval-method.js';

/** What the HTML report is drawn from. */
export function reportModel(evaluation: Evaluation, teacherName: string): ReportModel {
  const { n, classes, settings, labelled, teacher, students, comparisons } = evaluation;
  const { kind, bins, convention } = settings;
  const diagram = students[0]?.result.teacher?.reliability;
  const method = intervalMethod(evaluation);
  return {
    n,
    classes,
    kind,
    bins,
    convention,
    labelled,
    teacher: {
      name: teacherName,
      figures: teacher,
      intervals: evaluation.teacherIntervals,
      ...(diagram === undefined ? {} : { diagram }),
    },
    students: students.map(({ name, result, student, intervals }) => ({
      name,
      fidelity: fidelityFigures(result.fidelity),
      student,
      intervals,
      ...(result.student === undefined ? {} : { diagram: result.student.reliability }),
      calibration: result.fidelity.calibration.reliability,
      disagreement: result.fidelity.disagreement,
      perClass: result.fidelity.perClass.map(classFigures),
    })),
    comparisons,
    ...(method === undefined ? {} : { method }),
  };
}

function classFigures({ class: index, teacherPredicted, agreement, labels }: ClassAgreement): ClassFigures {
  const seen = { label: String(index), teacherPredicts: teacherPredicted, agreement };
  if (labels === undefined) return seen;
  const { count, teacherAccuracy, studentAccuracy } = labels;
  return { ...seen, samples: count, teacherAccuracy, studentAccuracy };
}
