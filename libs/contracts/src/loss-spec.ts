import { z } from 'zod';
import { fractionField } from './spec-fields.js';

const temperature = z.number().positive('the temperature must be above 0');
const temperatureOfBoth = temperature.default(4).describe('τ of both softmaxes.');
const weight = (name: string): z.ZodNumber => z.number().min(0, `${name} must be at least 0`);
const tauSquared = z
  .boolean()
  .default(true)
  .describe(
    "Whether the term carries τ², so that its gradient keeps its size; the paper's code has none here.",
  );
const mixedAlpha = fractionField
  .default(0)
  .describe('α·NLL(labels) + (1−α)·this loss; 0 is the paper: no labels.');
const addedAlpha = (published: number): z.ZodDefault<z.ZodNumber> =>
  weight('alpha').default(published).describe('Weight of NLL(labels) beside the terms of this loss.');

const kdSchema = z
  .strictObject({
    kind: z.literal('kd').default('kd'),
    temperature: temperature.default(4).describe('τ of both softmaxes; the KD term carries τ².'),
    alpha: fractionField.default(0).describe('α·NLL(labels) + (1−α)·KD; 0 is the paper: no labels.'),
  })
  .describe("τ² times the cross-entropy to the teacher's softened probabilities.");

const reverseKlSchema = z
  .strictObject({
    kind: z.literal('reverse-kl'),
    temperature: temperatureOfBoth,
    tauSquared,
    alpha: mixedAlpha,
  })
  .describe('KL(student ‖ teacher).');

const symmetricKlSchema = z
  .strictObject({
    kind: z.literal('symmetric-kl'),
    temperature: temperatureOfBoth,
    tauSquared,
    forwardWeight: weight('forwardWeight').default(1).describe('Of KL(teacher ‖ student).'),
    reverseWeight: weight('reverseWeight').default(1).describe('Of KL(student ‖ teacher).'),
    alpha: mixedAlpha,
  })
  .describe('KL in both directions.');

const jsSchema = z
  .strictObject({
    kind: z.literal('js'),
    temperature: temperatureOfBoth,
    tauSquared,
    beta: z
      .number()
      .gt(0, 'beta must be between 0 and 1, both excluded')
      .lt(1, 'beta must be between 0 and 1, both excluded')
      .default(0.5)
      .describe("The teacher's share of the mixture."),
    alpha: mixedAlpha,
  })
  .describe('Jensen–Shannon divergence: of both from their mixture.');

const hardSchema = z
  .strictObject({ kind: z.literal('hard'), alpha: mixedAlpha })
  .describe("Cross-entropy to the teacher's most probable class.");

const logitMseSchema = z
  .strictObject({ kind: z.literal('logit-mse'), alpha: mixedAlpha })
  .describe('Squared distance of the logits: what KD tends to for a high temperature.');

const brierSchema = z
  .strictObject({
    kind: z.literal('brier'),
    temperature: temperatureOfBoth,
    tauSquared,
    alpha: mixedAlpha,
  })
  .describe('Squared distance of the probabilities.');

const dkdSchema = z
  .strictObject({
    kind: z.literal('dkd'),
    temperature: temperatureOfBoth,
    targetWeight: weight('targetWeight').default(1).describe("Of the label's class against the rest."),
    nonTargetWeight: weight('nonTargetWeight').default(8).describe('Of the other classes among themselves.'),
    alpha: addedAlpha(1),
    // Absent ones stay absent, so that specs of before keep their digests.
    warmUpEpochs: z
      .number()
      .positive('warmUpEpochs must be above 0: leave it out for no warm-up')
      .optional()
      .describe(
        'The terms against the teacher (not that of the labels) rise in a line to their weights over so many epochs; published with 20.',
      ),
    every: z
      .enum(['step', 'epoch'])
      .optional()
      .describe('When they rise: every step (as it is if absent), or every epoch as in the published code.'),
  })
  .describe('Decoupled KD: the label’s class and the others apart. Needs labels.');

const distSchema = z
  .strictObject({
    kind: z.literal('dist'),
    temperature: temperature.default(1).describe('τ of both softmaxes; the terms carry τ².'),
    interWeight: weight('interWeight').default(1).describe('Of the correlation of each row.'),
    intraWeight: weight('intraWeight')
      .default(1)
      .describe('Of the correlation of each class over the batch.'),
    alpha: addedAlpha(1),
  })
  .describe('DIST: one minus the Pearson correlation of probabilities, by row and by class.');

const logitStdSchema = z
  .strictObject({
    kind: z.literal('logit-std'),
    temperature: temperature.default(2).describe('τ after the standardisation; the term carries τ².'),
    weight: weight('weight').default(9).describe('Of the KD term.'),
    alpha: addedAlpha(0.1),
  })
  .describe('KD of logits that are standardised by row.');

const LOSSES = [
  kdSchema,
  reverseKlSchema,
  symmetricKlSchema,
  jsSchema,
  hardSchema,
  logitMseSchema,
  brierSchema,
  dkdSchema,
  distSchema,
  logitStdSchema,
] as const;

export const lossSchema = z.discriminatedUnion('kind', LOSSES, {
  error: ({ code }) =>
    code === 'invalid_union'
      ? 'a loss is kd, reverse-kl, symmetric-kl, js, hard, logit-mse, brier, dkd, dist or logit-std'
      : undefined,
});
export type LossSpec = z.infer<typeof lossSchema>;
