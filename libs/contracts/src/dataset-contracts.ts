import { z } from 'zod';
import { defineRpc } from './contract.js';
import { datasetRefSchema, digestSchema } from './view-spec.js';

export const datasetRpc = {
  /**
   * Asked by whoever lacks a dataset: student control, which every run passes, has its archive in the artifact store.
   *
   * @throws DATASET.UNKNOWN where there is no archive and control has no such dataset; DATASET.CORRUPT
   */
  locate: defineRpc(
    'student.locateDataset',
    datasetRefSchema,
    z.strictObject({
      /** Artifact: a tar archive of the dataset's directory. */
      archive: digestSchema,
    }),
    // It may have to be stored first.
    120_000,
  ),
} as const;
