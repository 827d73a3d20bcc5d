import { z } from 'zod';
import {
  augmentationListSchema,
  policyAugmentation,
  policySchema,
  type AugmentationSpec,
} from './augmentation-spec.js';
import { countField, seedField } from './spec-fields.js';
import { subsetSchema } from './subset-spec.js';

export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a sha-256 digest has 64 hexadecimal digits');

export const datasetRefSchema = z.strictObject({ name: z.string(), digest: digestSchema });
export type DatasetRef = z.infer<typeof datasetRefSchema>;

export const splitSchema = z.enum(['train', 'test']);
export type Split = z.infer<typeof splitSchema>;

const viewBase = {
  dataset: datasetRefSchema,
  split: splitSchema,
  subset: subsetSchema.optional(),
};

/** Each sample has one form; order and batch size are not part of it. Ids are in canonical (ascending) order. */
export const tableViewSchema = z.strictObject({ kind: z.literal('table'), ...viewBase });
export type TableViewSpec = z.infer<typeof tableViewSchema>;

const appendFields = {
  split: splitSchema.default('train'),
  size: countField.default(10_000).describe('How many of its samples, chosen at random.'),
  seed: seedField.default(0),
};
const syntheticFields = {
  split: splitSchema.default('train'),
  ratio: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('Part of each batch, rounded down to whole images, that comes from there.'),
};

/** `batch(step)` is a pure function: same spec, same step, same bytes, on any machine. */
export const sequenceViewSchema = z.strictObject({
  kind: z.literal('sequence'),
  ...viewBase,
  augmentation: augmentationListSchema,
  /** Samples of another dataset that the view's own are joined by. */
  append: z.strictObject({ dataset: datasetRefSchema, ...appendFields }).optional(),
  /** Images of another dataset that fill a part of every batch. */
  synthetic: z.strictObject({ dataset: datasetRefSchema, ...syntheticFields }).optional(),
  seed: z.int().min(0).max(0xffffffff),
  batchSize: z.int().positive(),
});
export type SequenceViewSpec = z.infer<typeof sequenceViewSchema>;

export const viewSpecSchema = z.discriminatedUnion('kind', [tableViewSchema, sequenceViewSchema]);
export type ViewSpec = z.infer<typeof viewSpecSchema>;

/** Rows of one chunk of a table, hence of one frame. Part of the contract: both ends hash the same rows. */
export const TABLE_CHUNK_ROWS = 1_024;

const datasetNameField = z.string().min(1).describe('Name of the dataset: see `fidelis data list`.');

const tableFieldSchema = z
  .strictObject({ kind: z.literal('table'), subset: subsetSchema.optional() })
  .describe('No randomness: the teacher scores each sample once.');

const sequenceFieldSchema = z
  .strictObject({
    kind: z.literal('sequence'),
    subset: subsetSchema.optional(),
    policy: policySchema
      .optional()
      .describe("One of the paper's augmentation policies, instead of `augmentation`."),
    augmentation: augmentationListSchema.default([]),
    append: z
      .strictObject({ dataset: datasetNameField, ...appendFields })
      .optional()
      .describe(
        'Samples of another dataset, which join those of the view in every epoch. They have no labels here.',
      ),
    synthetic: z
      .strictObject({ dataset: datasetNameField, ...syntheticFields })
      .optional()
      .describe(
        'Another dataset, of images made beforehand, that fills a part of every batch. They have no labels here.',
      ),
    seed: seedField.optional().describe("Defaults to the experiment's seed."),
  })
  .superRefine((view, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (view.policy === undefined) return;
    if (view.augmentation.length > 0) {
      refuse('policy', `${view.policy} is short for a list of augmentations: give the one or the other`);
    }
    if (view.policy === 'out-of-distribution' && view.append === undefined) {
      refuse(
        'policy',
        'out-of-distribution appends samples of another dataset: say which in `append: { dataset: … }`',
      );
    }
    if (view.policy === 'gan' && view.synthetic === undefined) {
      refuse(
        'policy',
        'gan fills a part of each batch with images made beforehand: say which in `synthetic: { dataset: … }`',
      );
    }
  })
  .describe("A step's batch is a pure function of the spec and the step; the teacher scores every batch.");

/** The view as a person writes it in a spec. */
export const viewSpecFieldSchema = z.discriminatedUnion('kind', [tableFieldSchema, sequenceFieldSchema]);
export type ViewField = z.infer<typeof viewSpecFieldSchema>;
type SequenceField = z.infer<typeof sequenceFieldSchema>;

/** What is done to each sample, in order: the list, or what the policy is short for. */
export function viewAugmentation({ policy, augmentation }: SequenceField): readonly AugmentationSpec[] {
  return policy === undefined ? augmentation : policyAugmentation(policy);
}

/** Datasets that a view draws on besides the experiment's own, by name. */
export function otherDatasets(view: ViewField): readonly string[] {
  if (view.kind === 'table') return [];
  return [view.append, view.synthetic].flatMap((source) => (source === undefined ? [] : [source.dataset]));
}

/**
 * Why the labels of the view's rows say nothing about its inputs, so that no loss may use them; undefined where they do.
 * The paper defines distillation under each of these for the teacher's answers only (α = 0).
 */
export function labelsUndefined(view: ViewField): string | undefined {
  if (view.kind === 'table') return undefined;
  if (viewAugmentation(view).some(({ kind }) => kind === 'mixup')) {
    return 'mixup mixes images and not labels: what the true label of a mixed image would be is undefined, and the teacher scores it instead';
  }
  if (view.append !== undefined) return `samples of ${view.append.dataset} have no label among these classes`;
  if (view.synthetic !== undefined)
    return `images of ${view.synthetic.dataset} have no label among these classes`;
  return undefined;
}

export interface ViewSources {
  readonly dataset: DatasetRef;
  readonly split: Split;
  /** Of the view; its own `seed` wins. */
  readonly seed: number;
  readonly batchSize: number;
  /** The digest of each of `otherDatasets`. */
  readonly refOf: (name: string) => DatasetRef;
}

/** The view that a field of a spec means: policies written out, datasets with their digests. */
export function resolveView(field: ViewField, sources: ViewSources): ViewSpec {
  const { dataset, split, refOf } = sources;
  const base = { dataset, split, ...(field.subset === undefined ? {} : { subset: field.subset }) };
  if (field.kind === 'table') return { kind: 'table', ...base };
  const { append, synthetic } = field;
  return {
    kind: 'sequence',
    ...base,
    augmentation: [...viewAugmentation(field)],
    ...(append === undefined ? {} : { append: { ...append, dataset: refOf(append.dataset) } }),
    ...(synthetic === undefined ? {} : { synthetic: { ...synthetic, dataset: refOf(synthetic.dataset) } }),
    seed: field.seed ?? sources.seed,
    batchSize: sources.batchSize,
  };
}
