import { z } from 'zod';
import { architectureField } from './architecture-spec.js';
import { augmentationListSchema, policyAugmentation, policySchema } from './augmentation-spec.js';
import { lossSchema } from './loss-spec.js';
import { optimizerSchema, scheduleSchema } from './optimizer-spec.js';
import { countField, fractionField, seedField } from './spec-fields.js';
import { subsetSchema } from './subset-spec.js';
import { labelsUndefined, viewSpecFieldSchema } from './view-spec.js';

/**
 * The experiment spec: what a person writes in YAML and what `startRun` takes. Every object is strict (an
 * unknown field is an error), every default is the recipe of the demo. The published JSON schema is generated
 * from here (docs/schemas/experiment.schema.json).
 */

const trainingRecipe = {
  epochs: countField.max(100_000),
  batchSize: countField.max(65_536),
  optimizer: optimizerSchema,
  schedule: scheduleSchema.prefault({}),
};

const teacherRecipe = {
  subset: subsetSchema.optional().describe('Train on a part of the split only.'),
  augmentation: augmentationListSchema
    .optional()
    .describe('What is done to each image, drawn anew in every epoch. Not mixup: labels are not mixed.'),
  ...trainingRecipe,
};

/** As the teacher's id has it: what is left out stays out, so that teachers of before keep theirs. */
export const teacherTrainingSchema = z.strictObject(teacherRecipe);
export type TeacherTrainingSpec = z.infer<typeof teacherTrainingSchema>;

/** As a person writes it. */
const teacherTrainingField = z
  .strictObject({
    ...teacherRecipe,
    policy: policySchema
      .optional()
      .describe(
        "One of the paper's augmentation policies, instead of `augmentation`; baseline is what its own teachers had.",
      ),
  })
  .superRefine(({ policy, augmentation = [] }, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (policy !== undefined && augmentation.length > 0) {
      refuse('policy', `${policy} is short for a list of augmentations: give the one or the other`);
    }
    if (policy === 'out-of-distribution' || policy === 'gan') {
      refuse('policy', `a teacher learns from labels, which the samples that ${policy} adds do not have`);
    }
    if (policy === 'mixup' || augmentation.some(({ kind }) => kind === 'mixup')) {
      refuse(
        policy === 'mixup' ? 'policy' : 'augmentation',
        'a teacher learns from labels, and mixup mixes images and not labels: what the true label of a mixed image would be is undefined',
      );
    }
  });

/** What the field of a spec means: a policy is written out, and no augmentation is none. */
export function resolveTeacherTraining({
  policy,
  augmentation = [],
  ...recipe
}: z.infer<typeof teacherTrainingField>): TeacherTrainingSpec {
  const steps = policy === undefined ? augmentation : policyAugmentation(policy);
  return { ...recipe, ...(steps.length === 0 ? {} : { augmentation: steps }) };
}

/** Absent for a single model, so that its teacher keeps its id. */
export const ensembleMembersSchema = z
  .int()
  .min(2, 'an ensemble has at least 2 members: leave the field out for a single teacher')
  .max(64)
  .describe(
    'Models of an ensemble, trained alike from seeds of their own; the first one is the teacher without this field. Their probabilities are averaged.',
  );

const trainedTeacherSchema = z
  .strictObject({
    architecture: architectureField,
    seed: seedField.optional().describe("Defaults to the experiment's seed."),
    members: ensembleMembersSchema.optional(),
    train: teacherTrainingField,
  })
  .describe(
    'A teacher trained on labels for this experiment; one that was trained to the same spec is used again.',
  );

const existingTeacherSchema = z
  .strictObject({ id: z.string().regex(/^t-[0-9a-f]{12}$/, 'a teacher id looks like t-0123456789ab') })
  .describe('A teacher that exists.');

const tableOf = (split: string): z.ZodString =>
  z
    .string()
    .min(1)
    .max(4_096)
    .describe(
      `Of the ${split} split: a .npy file, beside the spec, or as the sha-256 of one that was uploaded. (samples, classes) or (samples, members, classes), in the order of the dataset's ids.`,
    );

const givenTeacherSchema = z
  .strictObject({
    kind: z.literal('table'),
    logits: tableOf('train'),
    testLogits: tableOf('test').optional(),
  })
  .describe('A teacher of which only the logits are known, whatever computed them.');

const teacherField = z.union([trainedTeacherSchema, existingTeacherSchema, givenTeacherSchema]);

const evaluationFieldSchema = z.strictObject({
  sets: z
    .array(z.enum(['test', 'train-clean']))
    .min(1)
    .default(['test', 'train-clean'])
    .describe('Where the finished student is evaluated.'),
  everyEpochs: z
    .int()
    .min(0)
    .default(1)
    .describe('Also on `test` after every so many epochs; 0 is only at the end.'),
  atSteps: z
    .array(countField)
    .min(1)
    .max(1_000)
    .optional()
    .describe('Also on every set after these numbers of steps.'),
});

const member = z.int().min(0).default(0).describe('Which member of an ensemble, from 0.');

/** How a student starts, where not at random (paper §6.2, Table 1). Student and teacher then have the same architecture. */
export const initialisationSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('random') }).describe("From the student's seed."),
    z
      .strictObject({ kind: z.literal('teacher-initial'), member })
      .describe('Where the teacher started, before its training.'),
    z
      .strictObject({
        kind: z.literal('interpolate'),
        lambda: fractionField.describe(
          'λ·θ_teacher + (1−λ)·θ_random: 0 is random, 1 is the trained teacher.',
        ),
        member,
        rescaleLearningRate: z
          .boolean()
          .default(false)
          .describe('Learning rate times (1−λ), as the published code has it (and not below 1e-6).'),
        refreshStatistics: z
          .boolean()
          .default(true)
          .describe('With batch normalisation: its running statistics anew from one pass over the view.'),
      })
      .describe('Between a random start and the trained teacher.'),
  ])
  .describe('How the student starts.');
export type InitialisationSpec = z.infer<typeof initialisationSchema>;

export const experimentSpecSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use lower-case letters, digits and "-", at most 63')
      .describe('A name for people.'),
    seed: seedField.default(0).describe('The seed that every other one defaults to.'),
    dataset: z.string().min(1).describe('Name of the dataset: see `fidelis data list`.'),
    teacher: teacherField,
    view: viewSpecFieldSchema.default({ kind: 'table' }).describe('What teacher and student see.'),
    codec: z
      .enum(['f16', 'f32'])
      .default('f16')
      .describe("Number format of the teacher's logits on the wire."),
    student: z.strictObject({
      architecture: architectureField,
      seed: seedField
        .optional()
        .describe(
          "Defaults to the experiment's seed + 1, so that a student never starts as its teacher did.",
        ),
      initialisation: initialisationSchema.optional().describe('Random where left out.'),
      loss: lossSchema.prefault({}),
      ...trainingRecipe,
    }),
    evaluation: evaluationFieldSchema.prefault({}),
    placement: z.enum(['cpu', 'gpu']).default('cpu').describe('Kind of worker that trains.'),
  })
  .superRefine(({ view, student }, context) => {
    const reason = labelsUndefined(view);
    if (reason === undefined) return;
    const { kind, alpha } = student.loss;
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: ['student', 'loss', field], message });
    if (alpha > 0) refuse('alpha', `${alpha} gives the labels a weight, and ${reason}. Set it to 0`);
    if (kind === 'dkd') refuse('kind', `dkd treats the true class apart, and ${reason}. Choose another loss`);
  })
  .describe('A Fidelis experiment: one teacher, one student, and how faithful the student is.');

export type ExperimentSpec = z.output<typeof experimentSpecSchema>;
export type ExperimentSpecInput = z.input<typeof experimentSpecSchema>;

/** The seeds of a spec after its defaults: the student's differs from the teacher's unless someone asks for the same. */
export function studentSeed(spec: ExperimentSpec): number {
  return spec.student.seed ?? (spec.seed + 1) >>> 0;
}
