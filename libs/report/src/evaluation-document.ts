import { z } from 'zod';

/** JSON has no infinity: a figure that is +∞, or that no sample defines, is null; each field says which. */
const figure = z.number().nullable();

const fidelitySchema = z
  .strictObject({
    top1Agreement: figure.describe('share of samples on which the two predict the same class, 0…1'),
    top5Agreement: figure.describe(
      "share of samples whose teacher's prediction is among the student's 5 most probable classes (all, of fewer), 0…1",
    ),
    predictiveKl: figure.describe(
      'mean KL(teacher ‖ student), nats; null is +∞: the student rules a class out that the teacher does not',
    ),
    reverseKl: figure.describe('mean KL(student ‖ teacher), nats; null is +∞'),
    jensenShannon: figure.describe('mean Jensen–Shannon divergence, nats, 0…ln 2'),
    totalVariation: figure.describe('mean total variation distance, 0…1'),
    cohenKappa: figure.describe(
      'agreement corrected for chance, −1…1; null where both always predict one class',
    ),
    agreementTeacherRight: figure.describe(
      'agreement on the samples where the teacher is right; null if there are none; absent without labels',
    ),
    agreementTeacherWrong: figure.describe(
      'agreement on the samples where the teacher is wrong; null if there are none; absent without labels',
    ),
  })
  .partial({ agreementTeacherRight: true, agreementTeacherWrong: true });

const generalisationSchema = z
  .strictObject({
    accuracy: figure.describe('share of right predictions, 0…1'),
    nll: figure.describe('mean −log p(label), nats; null is +∞: a label had probability 0'),
    brier: figure.describe('mean squared error of the probabilities, summed over classes, 0…2'),
    ece: figure.describe('expected calibration error over `bins` equal-width bins, 0…1'),
    mce: figure.describe('largest gap of the same bins, 0…1'),
    rmsce: figure.describe('root-mean-square gap of the same bins, 0…1'),
    eceEqualMass: figure.describe('ECE over `bins` bins of equally many samples; absent with --fast'),
    classwiseEce: figure.describe("mean over classes of the ECE of that class's probability"),
    eceDebiased: figure.describe(
      'ECE less its bias from the finite number of samples per bin; can be below 0',
    ),
    smoothEce: figure.describe('smooth ECE (smECE); absent with --fast'),
    nullEce: figure.describe(
      'what ECE a perfectly calibrated model with these confidences shows by chance: the yardstick of `ece`, and absent with it',
    ),
    temperature: figure.describe(
      'temperature that minimises the NLL, 0.01…100; null where a label has probability 0, which no temperature changes; absent with --fast',
    ),
  })
  .partial();

const intervalsSchema = z
  .record(z.string(), z.tuple([z.number(), z.number()]))
  .describe(
    'bootstrap interval [lo, hi] by the path of the figure, e.g. "student.ece"; empty with --intervals none or --fast',
  );

const comparisonSchema = z.strictObject({
  first: z.string().describe('name of a student'),
  second: z.string().describe('name of another student'),
  on: z
    .enum(['agreement', 'correctness', 'predictiveKl'])
    .describe('what is compared: agreement with the teacher, correctness, KL(teacher ‖ student)'),
  test: z.enum(['mcnemar', 'permutation']),
  method: z
    .enum(['exact', 'chi-squared', 'monte-carlo'])
    .describe('how the p-value was computed, which depends on how many samples differ'),
  difference: z.number().describe("the first's mean less the second's: shares, or nats"),
  onlyFirst: z.int().min(0).optional().describe('mcnemar: samples that only the first has'),
  onlySecond: z.int().min(0).optional().describe('mcnemar: samples that only the second has'),
  pValue: z.number().describe('two-sided'),
  pValueHolm: z.number().describe('corrected for all comparisons of this document (Holm)'),
});

const heading = {
  n: z.int().min(1).describe('samples'),
  classes: z.int().min(2),
  kind: z.enum(['logits', 'logprobs', 'probs']).describe('what the files hold'),
};

const binning = {
  bins: z.int().min(1).describe('equal-width bins of ece, mce and rmsce'),
  convention: z.enum(['torchmetrics', 'gnosis']).describe('which bin a confidence on an edge belongs to'),
};

/** What `fidelis evaluate --json` prints for one student. Figures that labels are needed for are absent without labels. */
export const singleEvaluationSchema = z.strictObject({
  ...heading,
  fidelity: fidelitySchema,
  teacher: generalisationSchema,
  student: generalisationSchema,
  intervals: intervalsSchema,
  ...binning,
});

const evaluatedStudentSchema = z.strictObject({
  name: z.string(),
  fidelity: fidelitySchema,
  student: generalisationSchema,
  intervals: intervalsSchema,
});

/** For several students. `intervals` at the top has the teacher's, each student its own. */
export const severalEvaluationSchema = z.strictObject({
  ...heading,
  teacher: generalisationSchema,
  students: z.array(evaluatedStudentSchema).min(2),
  comparisons: z.array(comparisonSchema).describe('every pair of students; empty with --fast'),
  intervals: intervalsSchema,
  ...binning,
});

export const evaluationDocumentSchema = z
  .union([singleEvaluationSchema, severalEvaluationSchema])
  .describe('What `fidelis evaluate --json` prints, with one student or with several.');

export type SingleEvaluation = z.infer<typeof singleEvaluationSchema>;
export type SeveralEvaluation = z.infer<typeof severalEvaluationSchema>;
export type EvaluationDocument = SingleEvaluation | SeveralEvaluation;
export type FidelityFigures = z.infer<typeof fidelitySchema>;
export type GeneralisationFigures = z.infer<typeof generalisationSchema>;
export type EvaluatedStudent = z.infer<typeof evaluatedStudentSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
export type Intervals = z.infer<typeof intervalsSchema>;
