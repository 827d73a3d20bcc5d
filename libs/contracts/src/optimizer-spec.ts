import { z } from 'zod';

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
