import { z } from 'zod';
import { architectureField } from './architecture-spec.js';
import { augmentationSchema } from './augmentation-spec.js';
import { lossSchema } from './loss-spec.js';
import { optimizerSchema, scheduleSchema } from './optimizer-spec.js';
import { countField, seedField } from './spec-fields.js';
import { subsetSchema } from './subset-spec.js';

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

export const teacherTrainingSchema = z.strictObject({
  subset: subsetSchema.optional().describe('Train on a part of the split only.'),
  ...trainingRecipe,
});
export type TeacherTrainingSpec = z.infer<typeof teacherTrainingSchema>;

const trainedTeacherSchema = z
  .strictObject({
    architecture: architectureField,
    seed: seedField.optional().describe("Defaults to the experiment's seed."),
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
      seed: seedField.optional().describe("Defaults to the experiment's seed."),
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
