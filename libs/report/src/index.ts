export {
  evaluationDocumentSchema,
  severalEvaluationSchema,
  singleEvaluationSchema,
  type Comparison,
  type EvaluatedStudent,
  type EvaluationDocument,
  type FidelityFigures,
  type GeneralisationFigures,
  type Intervals,
  type SeveralEvaluation,
  type SingleEvaluation,
} from './evaluation-document.js';
export {
  FIDELITY_FIGURES,
  GENERALISATION_FIGURES,
  type FigureName,
  type FigureUnit,
} from './figure-names.js';
export { figureText, intervalText, probabilityText } from './figure-text.js';
export { renderReport } from './render-report.js';
export type {
  ClassFigures,
  ClassPair,
  DiagramBin,
  ModelFigures,
  ReportModel,
  StudentView,
} from './report-model.js';
