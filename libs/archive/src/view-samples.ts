import type { SequenceView, StepSamples, TableView } from '@fidelis/data';
import { TABLE_CHUNK_ROWS } from '@fidelis/contracts';

/** Which samples the rows of each step are, from the view that the stream is over. */
export function samplesOfView(view: TableView | SequenceView): (step: number) => StepSamples {
  if ('stepSamples' in view) return (step) => view.stepSamples(step);
  return (step) => ({ ids: view.ids.slice(step * TABLE_CHUNK_ROWS, (step + 1) * TABLE_CHUNK_ROWS) });
}

/** Whether a stream over the view says of each row with what it was mixed. */
export function mixesSamples({ spec }: TableView | SequenceView): boolean {
  return spec.kind === 'sequence' && spec.augmentation.some(({ kind }) => kind === 'mixup');
}
