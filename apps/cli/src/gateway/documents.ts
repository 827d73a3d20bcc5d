import { errorWireSchema, evaluationRecordSchema, runRecordSchema } from '@fidelis/contracts';
import { z } from 'zod';

/** What the gateway is asked, and what its answers must look like. */

export const failureSchema = z.object({
  ...errorWireSchema.shape,
  details: z.record(z.string(), z.unknown()).nullish(),
});

export const runViewSchema = runRecordSchema.extend({ error: failureSchema.nullable() });
/** A run as the gateway tells it. */
export type RunView = z.output<typeof runViewSchema>;

const evaluationViewSchema = evaluationRecordSchema.extend({
  /** Paths of the figures that are infinite: they are null here. */
  infinite: z.array(z.string()),
});

export const runDetailsSchema = runViewSchema.extend({ evaluations: z.array(evaluationViewSchema) });
export type RunDetails = z.output<typeof runDetailsSchema>;

const RUN_FIELDS = `
  fragment RunFields on Run {
    id name state spec attempts correlationId createdAt startedAt endedAt
    stages { name state done total reused startedAt seconds }
    progress { step steps epoch epochs loss learningRate imagesPerSecond waitSeconds }
    lineage {
      dataset { name digest }
      teacherId teacherDigest streamKey weightsDigest
      producer { backend backendVersion threads platform }
      teacherProducer { backend backendVersion threads platform }
      execution { mode reason }
    }
    frames { published consumed trained closed }
    error { code message retryable details }
  }`;

const EVALUATION_FIELDS = `
  fragment ModelFields on GeneralisationFigures {
    accuracy top5Accuracy nll brier murphy { reliability resolution uncertainty }
    ece mce rmsce rmsceDebiased eceDebiased nullEce classwiseEce
    eceVariants { bins convention ece }
  }
  fragment EvaluationFields on Evaluation {
    id runId teacherId set step epoch final n classes bins convention infinite createdAt
    fidelity {
      top1Agreement top5Agreement topK predictiveKl reverseKl jensenShannon totalVariation cohenKappa
      agreementTeacherRight agreementTeacherWrong
      calibration { ece mce rmsce rmsceDebiased eceDebiased nullEce classwiseEce }
    }
    teacher { ...ModelFields }
    student { ...ModelFields }
  }`;

/** A document with the schema of its `data`. */
export interface GatewayDocument<Schema extends z.ZodType = z.ZodType> {
  readonly text: string;
  readonly data: Schema;
}

export const START_RUN = {
  text: `mutation StartRun($spec: JSON!) { startRun(spec: $spec) { ...RunFields } } ${RUN_FIELDS}`,
  data: z.strictObject({ startRun: runViewSchema }),
} as const satisfies GatewayDocument;

export const CANCEL_RUN = {
  text: `mutation CancelRun($id: ID!) { cancelRun(id: $id) { ...RunFields } } ${RUN_FIELDS}`,
  data: z.strictObject({ cancelRun: runViewSchema }),
} as const satisfies GatewayDocument;

/** The run alone: for followers. */
export const GET_RUN = {
  text: `query GetRun($id: ID!) { run(id: $id) { ...RunFields } } ${RUN_FIELDS}`,
  data: z.strictObject({ run: runViewSchema }),
} as const satisfies GatewayDocument;

export const GET_RUN_DETAILS = {
  text: `query GetRunDetails($id: ID!) {
    run(id: $id) { ...RunFields evaluations { ...EvaluationFields } }
  } ${RUN_FIELDS} ${EVALUATION_FIELDS}`,
  data: z.strictObject({ run: runDetailsSchema }),
} as const satisfies GatewayDocument;

export const LIST_RUNS = {
  text: `query ListRuns($filter: RunFilter, $first: Int!, $after: String) {
    runs(filter: $filter, first: $first, after: $after) {
      edges { node { ...RunFields evaluations(set: "test") { ...EvaluationFields } } }
      pageInfo { hasNextPage endCursor }
      totalCount
    }
  } ${RUN_FIELDS} ${EVALUATION_FIELDS}`,
  data: z.strictObject({
    runs: z.strictObject({
      edges: z.array(z.strictObject({ node: runDetailsSchema })),
      pageInfo: z.strictObject({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
      totalCount: z.int(),
    }),
  }),
} as const satisfies GatewayDocument;

export const RUN_PROGRESS = {
  text: `subscription RunProgress($id: ID!) { runProgress(id: $id) { ...RunFields } } ${RUN_FIELDS}`,
  data: z.strictObject({ runProgress: runViewSchema }),
} as const satisfies GatewayDocument;
