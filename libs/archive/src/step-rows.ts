import { viewExtent, type ViewExtent } from '@fidelis/data';
import type { ArchiveIdentity } from './archive-manifest.js';

type Viewed = Pick<ArchiveIdentity, 'view' | 'samples'>;

/** Rows are a matter of the view alone, so that a step that lost some is found out. */
function extentOf({ view, samples }: Viewed): ViewExtent {
  return viewExtent(view, samples[0]?.rows ?? 0);
}

/** Rows of all steps before this one. */
export function rowsBefore(stream: Viewed, step: number): number {
  return extentOf(stream).rowsOfSteps(step);
}

export function rowsOfStep(stream: Viewed, step: number): number {
  const extent = extentOf(stream);
  return extent.rowsOfSteps(step + 1) - extent.rowsOfSteps(step);
}

/** Steps that the stream can have: a table has its chunks, a sequence goes on. */
export function stepLimit(stream: Viewed): number {
  return stream.view.kind === 'table' ? extentOf(stream).stepsPerEpoch : Infinity;
}

/** One more than the largest sample id. */
export function idLimit({ samples }: Viewed): number {
  return samples.reduce((sum, { rows }) => sum + rows, 0);
}
