import type { DatasetRef, ViewSpec } from '@fidelis/contracts';
import type { Dataset } from './dataset.js';
import { loadDatasetOf } from './dataset-copies.js';

/** Datasets that a view draws on besides its own. */
export function otherRefs(spec: ViewSpec): readonly DatasetRef[] {
  if (spec.kind === 'table') return [];
  return [spec.append, spec.synthetic].flatMap((source) => (source === undefined ? [] : [source.dataset]));
}

/**
 * What `createSequenceView` needs besides the view's own dataset.
 *
 * @throws FidelisError DATASET.UNKNOWN, DATASET.MISMATCH, DATASET.CORRUPT
 */
export async function loadOthers(spec: ViewSpec): Promise<readonly Dataset[]> {
  const byName = new Map(otherRefs(spec).map((ref) => [ref.name, ref]));
  return Promise.all([...byName.values()].map(loadDatasetOf));
}
