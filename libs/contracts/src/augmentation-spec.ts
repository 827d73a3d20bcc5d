import { z } from 'zod';

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
