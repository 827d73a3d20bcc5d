import type { SequenceViewSpec } from '@fidelis/contracts';
import { augment } from './augmentation.js';
import { EpochOrder, type Batch, type BatchSource } from './batch.js';
import type { Dataset, InputShape } from './dataset.js';
import { scaleInto } from './scaling.js';
import { labelsOf, sampleBytes, viewSamples, type ViewSamples } from './view-samples.js';

/**
 * A view with randomness. `batch(step)` is a pure function of the spec and the step: the order comes from (seed, epoch), each
 * sample's form from (seed, epoch, sample id).
 */
export class SequenceView implements BatchSource {
  /** Samples of the view: rows of one epoch. */
  readonly rows: number;
  readonly stepsPerEpoch: number;
  /** Ascending; read only. */
  readonly ids: Uint32Array;
  private readonly order: EpochOrder;

  constructor(
    readonly spec: SequenceViewSpec,
    readonly inputShape: InputShape,
    readonly classes: number,
    private readonly samples: ViewSamples,
  ) {
    this.ids = samples.ids;
    this.rows = this.ids.length;
    this.order = new EpochOrder(this.ids, spec.seed, spec.batchSize);
    this.stepsPerEpoch = this.order.stepsPerEpoch;
  }

  /**
   * Rows: `batchSize`, or what is left at the end of an epoch.
   *
   * @throws FidelisError REQUEST.INVALID unless `step` is an integer of at least 0
   */
  batch(step: number): Batch {
    const { epoch, ids } = this.order.at(step);
    const { length } = this.samples;
    const { augmentation, seed } = this.spec;
    const inputs = new Float32Array(ids.length * length);
    ids.forEach((id, row) => {
      const bytes = augment(sampleBytes(this.samples, id), this.inputShape, augmentation, {
        seed,
        epoch,
        id,
      });
      scaleInto(bytes, inputs, row * length);
    });
    return { ids, inputs, labels: labelsOf(this.samples, ids) };
  }
}

/** @throws FidelisError DATASET.MISMATCH, SPEC.INVALID */
export function createSequenceView(dataset: Dataset, spec: SequenceViewSpec): SequenceView {
  return new SequenceView(spec, dataset.inputShape, dataset.classes, viewSamples(dataset, spec));
}
