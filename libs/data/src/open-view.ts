import type { DatasetRef, ViewSpec } from '@fidelis/contracts';
import { loadDataset } from './catalogue.js';
import type { Dataset } from './dataset.js';

/** Datasets that a view draws on besides its own. */
export function otherRefs(spec: ViewSpec): readonly DatasetRef[] {
  if (spec.kind === 'table') return [];
  return [spec.append, spec.synthetic].flatMap((source) => (source === undefined ? [] : [source.dataset]));
}

/**
 * What `createSequenceView` needs besides the view's own dataset.
 *
 * @throws FidelisError DATASET.UNKNOWN, DATASET.CORRUPT
 */
export async function loadOthers(spec: ViewSpec): Promise<readonly Dataset[]> {
  return Promise.all([...new Set(otherRefs(spec).map(({ name }) => name))].map(loadDataset));
}
