import { z } from 'zod';
import { fractionField } from './spec-fields.js';

const probabilityField = fractionField.describe('Chance that an image gets it.');
/** Spread of a factor around 1. */
const spreadField = z.number().min(0).max(1);

const rotationSchema = z
  .strictObject({
    kind: z.literal('rotation'),
    degrees: z.number().positive().max(180).default(20).describe('Largest angle in each direction.'),
  })
  .describe(
    'Turns each image about its centre by an angle drawn uniformly from −degrees…degrees; nearest pixel, uncovered pixels are zero.',
  );

const verticalFlipSchema = z
  .strictObject({ kind: z.literal('vertical-flip'), probability: probabilityField.default(0.5) })
  .describe('Turns images upside down.');

const colorJitterSchema = z
  .strictObject({
    kind: z.literal('color-jitter'),
    brightness: spreadField.default(0.2).describe('Factor drawn from 1 − brightness…1 + brightness.'),
    contrast: spreadField.default(0.2).describe('Factor drawn from 1 − contrast…1 + contrast.'),
    saturation: spreadField.default(0.2).describe('Factor drawn from 1 − saturation…1 + saturation.'),
    hue: z.number().min(0).max(0.5).default(0.2).describe('Turn of the hue drawn from −hue…hue of a circle.'),
  })
  .describe('Changes brightness, contrast, saturation and hue, in an order drawn for each image.');

const cropSchema = z
  .strictObject({
    kind: z.literal('crop'),
    padding: z.int().min(1).max(64).default(4).describe('Pixels of zero added on each side.'),
  })
  .describe('Cuts the image out of itself with a border of zeros, at a place drawn uniformly.');

const randomShiftSchema = z
  .strictObject({
    kind: z.literal('random-shift'),
    maxPixels: z.int().min(1).max(16).describe('Largest shift in each direction; uncovered pixels are zero.'),
  })
  .describe(
    'Shifts each image by a whole number of pixels, drawn uniformly from −maxPixels…maxPixels for each axis.',
  );

const horizontalFlipSchema = z
  .strictObject({ kind: z.literal('horizontal-flip'), probability: probabilityField.default(0.5) })
  .describe('Mirrors images.');

const noiseSchema = z
  .strictObject({ kind: z.literal('noise'), probability: probabilityField.default(0.2) })
  .describe('Replaces images by uniform noise from −1…1.');

const mixupSchema = z
  .strictObject({
    kind: z.literal('mixup'),
    portion: z.number().positive().max(1).default(1).describe('Part of each batch that is mixed.'),
  })
  .describe(
    'Mixes each image with another of its batch, λ·x + (1 − λ)·x′, with one λ drawn uniformly from 0…1 for the batch. The teacher scores the mixed images: labels are not mixed.',
  );

export const augmentationSchema = z.discriminatedUnion('kind', [
  rotationSchema,
  verticalFlipSchema,
  colorJitterSchema,
  cropSchema,
  randomShiftSchema,
  horizontalFlipSchema,
  noiseSchema,
  mixupSchema,
]);
export type AugmentationSpec = z.infer<typeof augmentationSchema>;
export type AugmentationKind = AugmentationSpec['kind'];

/**
 * The stated order (paper, appendix A.1): what is done to bytes, then, after scaling to [−1, 1], what is done to numbers. `crop` and
 * `random-shift` are one place in it.
 */
const STAGES: Readonly<Record<AugmentationKind, number>> = {
  rotation: 0,
  'vertical-flip': 1,
  'color-jitter': 2,
  crop: 3,
  'random-shift': 3,
  'horizontal-flip': 4,
  noise: 5,
  mixup: 6,
};

const STATED_ORDER =
  'rotation, vertical-flip, color-jitter, crop or random-shift, horizontal-flip, noise, mixup';

/** Augmentations in the stated order. */
export const augmentationListSchema = z.array(augmentationSchema).superRefine((list, context) => {
  const ordered = [...list].sort((a, b) => STAGES[a.kind] - STAGES[b.kind]).map(({ kind }) => kind);
  const wrong = list.findIndex(({ kind }, index) => kind !== ordered[index]);
  if (wrong >= 0) {
    context.addIssue({
      code: 'custom',
      path: [],
      message: `they are applied in the order ${STATED_ORDER}: write them as ${ordered.join(', ')}`,
    });
  }
  for (const kind of ['noise', 'mixup'] as const) {
    if (list.filter((step) => step.kind === kind).length > 1) {
      context.addIssue({ code: 'custom', path: [], message: `${kind} can be there once` });
    }
  }
});

/** The paper's augmentation policies (section 5.1, appendix A.1). */
export const POLICIES = [
  'baseline',
  'rotation',
  'vertical-flip',
  'color-jitter',
  'combined',
  'mixup',
  'out-of-distribution',
  'noise',
  'gan',
] as const;
export const policySchema = z.enum(POLICIES);
export type PolicyName = z.infer<typeof policySchema>;

/** Steps before and after the baseline's of each policy. */
const POLICY_STEPS: Readonly<
  Record<
    PolicyName,
    { readonly before?: readonly AugmentationKind[]; readonly after?: readonly AugmentationKind[] }
  >
> = {
  baseline: {},
  rotation: { before: ['rotation'] },
  'vertical-flip': { before: ['vertical-flip'] },
  'color-jitter': { before: ['color-jitter'] },
  combined: { before: ['rotation', 'vertical-flip', 'color-jitter'] },
  mixup: { after: ['mixup'] },
  // What these two add are samples, which the view's `append` and `synthetic` name.
  'out-of-distribution': {},
  gan: {},
  noise: { after: ['noise'] },
};

/** What a policy's name is short for, with the paper's parameters, in the stated order. */
export function policyAugmentation(policy: PolicyName): AugmentationSpec[] {
  const { before = [], after = [] } = POLICY_STEPS[policy];
  return [...before, 'crop', 'horizontal-flip', ...after].map((kind) => augmentationSchema.parse({ kind }));
}
