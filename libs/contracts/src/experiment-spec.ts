import { z } from 'zod';

/**
 * The experiment spec: what a person writes in YAML and what `startRun` takes. Every object is strict (an
 * unknown field is an error), every default is the recipe of the demo. The published JSON schema is generated
 * from here (docs/schemas/experiment.schema.json).
 */

const seed = z.int().min(0).max(0xffffffff);
const count = z.int().positive();
const fraction = z.number().min(0).max(1);

/** Names of the architectures; libs/models has a definition for each. */
export const ARCHITECTURES = ['lenet5', 'mlp'] as const;
export type ArchitectureName = (typeof ARCHITECTURES)[number];

export const architectureSchema = z
  .strictObject({
    name: z.enum(ARCHITECTURES).describe('Name of the architecture.'),
    hiddenUnits: z.array(count).min(1).max(8).optional().describe('mlp only: units of each hidden layer.'),
  })
  .describe('The network.');
export type ArchitectureSpec = z.infer<typeof architectureSchema>;

/** In a spec, `architecture: lenet5` is short for `architecture: { name: lenet5 }`. */
const architectureField = z.preprocess(
  (value) => (typeof value === 'string' ? { name: value } : value),
  architectureSchema,
);

export const subsetSchema = z
  .strictObject({
    size: count.describe('Number of samples.'),
    stratified: z.boolean().default(true).describe('The same number of samples of every class.'),
    seed: seed.default(0),
  })
  .describe('A seeded choice of samples of the split.');
export type SubsetSpec = z.infer<typeof subsetSchema>;

export const randomShiftSchema = z
  .strictObject({
    kind: z.literal('random-shift'),
    maxPixels: z.int().min(1).max(16).describe('Largest shift in each direction; uncovered pixels are zero.'),
  })
  .describe(
    'Shifts each image by a whole number of pixels, drawn uniformly from −maxPixels…maxPixels for each axis.',
  );
export const augmentationSchema = z.discriminatedUnion('kind', [randomShiftSchema]);
export type AugmentationSpec = z.infer<typeof augmentationSchema>;

export const optimizerSchema = z
  .strictObject({
    kind: z.enum(['sgd']).default('sgd'),
    learningRate: z.number().positive().describe('Rate at the first step, before the schedule.'),
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(true),
    weightDecay: z
      .number()
      .min(0)
      .default(0)
      .describe("L2 term added to the gradient (PyTorch's weight_decay)."),
  })
  .refine((optimizer) => !optimizer.nesterov || optimizer.momentum > 0, {
    path: ['nesterov'],
    message: 'Nesterov momentum needs momentum > 0',
  });
export type OptimizerSpec = z.infer<typeof optimizerSchema>;

export const scheduleSchema = z.strictObject({
  kind: z.enum(['cosine', 'constant']).default('cosine'),
  floor: z.number().min(0).default(0).describe('cosine only: the rate that the last step approaches.'),
});
export type ScheduleSpec = z.infer<typeof scheduleSchema>;

export const lossSchema = z.strictObject({
  kind: z.enum(['kd']).default('kd'),
  temperature: z.number().positive().default(4).describe('τ of both softmaxes; the KD term carries τ².'),
  alpha: fraction.default(0).describe('α·NLL(labels) + (1−α)·KD; 0 is the paper: no labels.'),
});
export type LossSpec = z.infer<typeof lossSchema>;

const trainingRecipe = {
  epochs: count.max(100_000),
  batchSize: count.max(65_536),
  optimizer: optimizerSchema,
  schedule: scheduleSchema.prefault({}),
};

export const teacherTrainingSchema = z.strictObject({
  subset: subsetSchema.optional().describe('Train on a part of the split only.'),
  ...trainingRecipe,
});
export type TeacherTrainingSpec = z.infer<typeof teacherTrainingSchema>;

const trainedTeacherSchema = z
  .strictObject({
    architecture: architectureField,
    seed: seed.optional().describe("Defaults to the experiment's seed."),
    train: teacherTrainingSchema,
  })
  .describe(
    'A teacher trained on labels for this experiment; one that was trained to the same spec is used again.',
  );

const existingTeacherSchema = z
  .strictObject({ id: z.string().regex(/^t-[0-9a-f]{12}$/, 'a teacher id looks like t-0123456789ab') })
  .describe('A teacher that exists.');

const teacherField = z.union([trainedTeacherSchema, existingTeacherSchema]);

export const viewSpecFieldSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('table'), subset: subsetSchema.optional() })
    .describe('No randomness: the teacher scores each sample once.'),
  z
    .strictObject({
      kind: z.literal('sequence'),
      subset: subsetSchema.optional(),
      augmentation: z.array(augmentationSchema).default([]),
      seed: seed.optional().describe("Defaults to the experiment's seed."),
    })
    .describe("A step's batch is a pure function of the spec and the step; the teacher scores every batch."),
]);

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
});

export const experimentSpecSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use lower-case letters, digits and "-", at most 63')
      .describe('A name for people.'),
    seed: seed.default(0).describe('The seed that every other one defaults to.'),
    dataset: z.string().min(1).describe('Name of the dataset: see `fidelis data list`.'),
    teacher: teacherField,
    view: viewSpecFieldSchema.default({ kind: 'table' }).describe('What teacher and student see.'),
    codec: z
      .enum(['f16', 'f32'])
      .default('f16')
      .describe("Number format of the teacher's logits on the wire."),
    student: z.strictObject({
      architecture: architectureField,
      seed: seed
        .optional()
        .describe(
          "Defaults to the experiment's seed + 1, so that a student never starts as its teacher did.",
        ),
      loss: lossSchema.prefault({}),
      ...trainingRecipe,
    }),
    evaluation: evaluationFieldSchema.prefault({}),
    placement: z.enum(['cpu', 'gpu']).default('cpu').describe('Kind of worker that trains.'),
  })
  .describe('A Fidelis experiment: one teacher, one student, and how faithful the student is.');

export type ExperimentSpec = z.output<typeof experimentSpecSchema>;
export type ExperimentSpecInput = z.input<typeof experimentSpecSchema>;

/** The seeds of a spec after its defaults: the student's differs from the teacher's unless someone asks for the same. */
export function studentSeed(spec: ExperimentSpec): number {
  return spec.student.seed ?? (spec.seed + 1) >>> 0;
}
