import { subsetSize, TABLE_CHUNK_ROWS, type SequenceViewSpec, type ViewSpec } from '@fidelis/contracts';

/** How large a view is, from its spec and the number of samples in its split alone: nothing is loaded for it. */
export interface ViewExtent {
  /** Samples of the view. */
  readonly rows: number;
  /** Of one epoch; a table has its chunks. */
  readonly stepsPerEpoch: number;
  /** Rows of the largest step. */
  readonly stepRows: number;
  /** Rows (inputs) of the first `steps` steps, over all epochs. */
  rowsOfSteps(steps: number): number;
}

/** Rows of a full batch that come from the view's samples, and those that `synthetic` adds to every batch. */
export function batchParts({ batchSize, synthetic }: SequenceViewSpec): { own: number; synthetic: number } {
  const added = synthetic === undefined ? 0 : Math.floor(synthetic.ratio * batchSize);
  return { own: batchSize - added, synthetic: added };
}

/** @param available samples of the view's split */
export function viewExtent(view: ViewSpec, available: number): ViewExtent {
  const appended = view.kind === 'sequence' ? (view.append?.size ?? 0) : 0;
  return extentOfRows(view, subsetSize(view.subset, available) + appended);
}

/** @param rows samples of the view */
export function extentOfRows(view: ViewSpec, rows: number): ViewExtent {
  if (view.kind === 'table') {
    return {
      rows,
      stepsPerEpoch: Math.ceil(rows / TABLE_CHUNK_ROWS),
      stepRows: Math.min(rows, TABLE_CHUNK_ROWS),
      rowsOfSteps: (steps) => Math.min(steps * TABLE_CHUNK_ROWS, rows),
    };
  }
  const { own, synthetic } = batchParts(view);
  const stepsPerEpoch = Math.ceil(rows / own);
  return {
    rows,
    stepsPerEpoch,
    stepRows: Math.min(rows, own) + synthetic,
    rowsOfSteps: (steps) => {
      const epochs = Math.floor(steps / stepsPerEpoch);
      return epochs * rows + (steps - epochs * stepsPerEpoch) * own + steps * synthetic;
    },
  };
}
