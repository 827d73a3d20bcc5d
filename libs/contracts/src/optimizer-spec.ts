import { z } from 'zod';

const learningRate = z
  .number()
  .positive('the learning rate must be above 0')
  .describe('Rate at the first step, before the schedule.');
const weightDecay = z.number().min(0, 'weightDecay must be at least 0');
const clipNorm = z
  .number()
  .positive('clipNorm must be above 0: leave it out to clip nothing')
  .optional()
  .describe(
    'Greatest L2 norm of the whole gradient: a longer one is scaled down to it, before weight decay.',
  );
const l2 = weightDecay.default(0).describe("L2 term added to the gradient (PyTorch's weight_decay).");
const beta = (name: string): z.ZodNumber => {
  const message = `${name} must be at least 0 and below 1`;
  return z.number().min(0, message).lt(1, message);
};

const sgdSchema = z
  .strictObject({
    kind: z.literal('sgd').default('sgd'),
    learningRate,
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(true),
    weightDecay: l2,
    clipNorm,
  })
  .refine((optimizer) => !optimizer.nesterov || optimizer.momentum > 0, {
    path: ['nesterov'],
    message: 'Nesterov momentum needs momentum > 0',
  })
  .describe('Stochastic gradient descent.');

const adamFields = {
  learningRate,
  beta1: beta('beta1').default(0.9).describe('Decay of the running mean of the gradient.'),
  beta2: beta('beta2').default(0.999).describe("Decay of the running mean of the gradient's square."),
  epsilon: z.number().positive('epsilon must be above 0').default(1e-8),
};

const adamSchema = z
  .strictObject({ kind: z.literal('adam'), ...adamFields, weightDecay: l2, clipNorm })
  .describe('Adam; weight decay is an L2 term of the gradient.');

const adamwSchema = z
  .strictObject({
    kind: z.literal('adamw'),
    ...adamFields,
    weightDecay: weightDecay
      .default(0.01)
      .describe('Decoupled: the parameters shrink by learning rate · weightDecay at each step.'),
    clipNorm,
  })
  .describe('Adam with decoupled weight decay.');

export const optimizerSchema = z.discriminatedUnion('kind', [sgdSchema, adamSchema, adamwSchema], {
  error: ({ code }) => (code === 'invalid_union' ? 'an optimizer is sgd, adam or adamw' : undefined),
});
export type OptimizerSpec = z.infer<typeof optimizerSchema>;
export type SgdSpec = z.infer<typeof sgdSchema>;
export type AdamSpec = z.infer<typeof adamSchema> | z.infer<typeof adamwSchema>;

/** Fields of every schedule: absent ones stay absent, so that specs of before keep their digests. */
const anySchedule = {
  warmUpEpochs: z
    .number()
    .positive('warmUpEpochs must be above 0: leave it out for no warm-up')
    .optional()
    .describe('The rate rises in a line over so many epochs, before the schedule begins.'),
  every: z
    .enum(['step', 'epoch'])
    .optional()
    .describe(
      "When the rate changes: every step (as it is if absent), or every epoch as in the paper's code.",
    ),
};

const cosineSchema = z
  .strictObject({
    kind: z.literal('cosine').default('cosine'),
    floor: z.number().min(0).default(0).describe('The rate that the last step approaches.'),
    ...anySchedule,
  })
  .describe('Half a cosine from the base rate to the floor.');

const constantSchema = z
  .strictObject({
    kind: z.literal('constant'),
    floor: z.number().min(0).default(0).describe('Without effect here: only a cosine has a floor.'),
    ...anySchedule,
  })
  .describe('The base rate all along.');

const stepScheduleSchema = z
  .strictObject({
    kind: z.literal('step'),
    milestones: z
      .array(z.number().positive('a milestone is an epoch above 0'))
      .min(1, 'name at least one epoch')
      .refine((epochs) => epochs.every((epoch, i) => i === 0 || epoch > (epochs[i - 1] ?? 0)), {
        message: 'milestones must be in ascending order, each epoch once',
      })
      .describe('Epochs after which the rate is multiplied by the factor; counted from the first step.'),
    factor: z.number().positive('factor must be above 0').max(1, 'factor must be at most 1').default(0.1),
    ...anySchedule,
  })
  .describe('The base rate, lower from each milestone on.');

export const scheduleSchema = z.discriminatedUnion(
  'kind',
  [cosineSchema, constantSchema, stepScheduleSchema],
  {
    error: ({ code }) => (code === 'invalid_union' ? 'a schedule is cosine, constant or step' : undefined),
  },
);
export type ScheduleSpec = z.infer<typeof scheduleSchema>;
