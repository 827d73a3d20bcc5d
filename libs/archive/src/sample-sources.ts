import {
  datasetRefSchema,
  splitSchema,
  type DatasetRef,
  type Split,
  type ViewSpec,
} from '@fidelis/contracts';
import { z } from 'zod';

/** Where the samples of a range of ids lie: id − firstId is the position in the split. */
export const sampleSourceSchema = z.strictObject({
  dataset: datasetRefSchema,
  split: splitSchema,
  firstId: z.int().min(0),
  /** Samples of the whole split. */
  rows: z.int().positive(),
});
export type SampleSource = z.infer<typeof sampleSourceSchema>;

/**
 * What the sample ids of a view mean: the view's own split from 0 on, then the split that `append` draws on, then that of
 * `synthetic` (libs/data, SequenceView).
 *
 * @param rowsOf samples of the whole split
 */
export function sampleSources(
  view: ViewSpec,
  rowsOf: (dataset: DatasetRef, split: Split) => number,
): readonly SampleSource[] {
  let firstId = 0;
  return splitsOf(view).map(({ dataset, split }) => {
    const source = { dataset, split, firstId, rows: rowsOf(dataset, split) };
    firstId += source.rows;
    return source;
  });
}

/** Splits that a view draws on, in the order of their ids. */
export function splitsOf(view: ViewSpec): readonly { readonly dataset: DatasetRef; readonly split: Split }[] {
  const own = { dataset: view.dataset, split: view.split };
  if (view.kind === 'table') return [own];
  const others = [view.append, view.synthetic].flatMap((source) => (source === undefined ? [] : [source]));
  return [own, ...others.map(({ dataset, split }) => ({ dataset, split }))];
}
