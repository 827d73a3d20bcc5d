import type { DiagramBin, ReportModel, StudentView } from './report-model.js';

const BINS: readonly DiagramBin[] = [
  { lower: 0, upper: 0.5, count: 0, accuracy: null, confidence: null },
  { lower: 0.5, upper: 1, count: 30, accuracy: 0.6, confidence: 0.8 },
  { lower: 1, upper: 1, count: 10, accuracy: 1, confidence: 1 },
];

/** A student that answers 1 for every tenth sample of which the teacher says 0. */
export function studentFixture(name: string, classes: number): StudentView {
  return {
    name,
    fidelity: {
      top1Agreement: 0.9345,
      top5Agreement: 1,
      predictiveKl: 0.0412,
      reverseKl: null,
      jensenShannon: 0.01,
      totalVariation: 0.06,
      cohenKappa: 0.9,
      agreementTeacherRight: 0.97,
      agreementTeacherWrong: null,
    },
    student: { accuracy: 0.9, nll: 0.3, ece: 0.0712, temperature: 1.31, eceAfter: 0.002 },
    intervals: { 'fidelity.top1Agreement': [0.92, 0.95], 'student.ece': [0.06, 0.08] },
    diagram: BINS,
    calibration: BINS,
    disagreement: [
      { teacher: 0, student: 0, count: 36 },
      { teacher: 0, student: 1, count: 4 },
    ],
    perClass: Array.from({ length: classes }, (_, index) => ({
      label: String(index),
      teacherPredicts: index === 0 ? 40 : 0,
      agreement: index === 0 ? 0.9 : null,
      samples: 40 / classes,
      teacherAccuracy: 0.95,
      studentAccuracy: null,
    })),
  };
}

export function reportFixture(changes: Partial<ReportModel> = {}, classes = 4): ReportModel {
  return {
    n: 40,
    classes,
    kind: 'logits',
    bins: 2,
    convention: 'torchmetrics',
    labelled: true,
    teacher: {
      name: 'teacher.npy',
      figures: { accuracy: 0.95, nll: 0.2, ece: 0.05 },
      intervals: { 'teacher.accuracy': [0.93, 0.97] },
      diagram: BINS,
    },
    students: [studentFixture('small', classes)],
    comparisons: [],
    ...changes,
  };
}
