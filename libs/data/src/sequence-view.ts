import { FidelisError, type SequenceViewSpec } from '@fidelis/contracts';
import { augment } from './augmentation.js';
import { batchAugmentation, mixingOf } from './batch-augmentation.js';
import { EpochOrder, type Batch, type BatchSource } from './batch.js';
import { isImageShape, type Dataset, type InputShape } from './dataset.js';
import { inputValues, type InputRoom } from './input-room.js';
import { SyntheticDraw } from './synthetic-draw.js';
import { batchParts } from './view-extent.js';
import {
  addSource,
  appendSamples,
  cleanInputs,
  labelsOf,
  sampleValues,
  viewSamples,
  writeInput,
  type ViewSamples,
} from './view-samples.js';

/** Which samples the rows of a step are. */
export interface StepSamples {
  /** [rows] */
  readonly ids: Uint32Array;
  /** [rows] each, of a view with mixup: a row is weight · sample + (1 − weight) · partner; unmixed ones have weight 1. */
  readonly mixing?: { readonly partners: Uint32Array; readonly weights: Float32Array };
}

/**
 * A view with randomness. `batch(step)` is a pure function of the spec and the step: the order comes from (seed, epoch), each
 * sample's form from (seed, epoch, sample id), what concerns a whole batch from (seed, step).
 *
 * Ids are positions in the view's split; those of appended samples go on after its last one, and those of synthetic images after
 * these. Labels of both are −1.
 */
export class SequenceView implements BatchSource {
  /** Samples of the view, without synthetic images. */
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
    private readonly synthetic: SyntheticDraw,
  ) {
    this.ids = samples.ids;
    this.rows = this.ids.length;
    this.order = new EpochOrder(this.ids, spec.seed, batchParts(spec).own);
    this.stepsPerEpoch = this.order.stepsPerEpoch;
  }

  /** Rows of a step: `batchSize`, or less at the end of an epoch. */
  rowsOf(step: number): number {
    const { own, synthetic } = batchParts(this.spec);
    return Math.min(own, this.rows - (step % this.stepsPerEpoch) * own) + synthetic;
  }

  /** Which samples a step's rows are, in the order of `batch(step)`; without making their inputs. */
  stepSamples(step: number): StepSamples {
    const { ids: own } = this.order.at(step);
    const ids = this.synthetic.after(own, step);
    const mixup = this.spec.augmentation.find((policy) => policy.kind === 'mixup');
    if (mixup === undefined) return { ids };
    const { lambda, partners: rows } = mixingOf(own.length, mixup.portion, { seed: this.spec.seed, step });
    const partners = ids.slice();
    const weights = new Float32Array(ids.length).fill(1);
    rows.forEach((partner, row) => {
      partners[row] = ids[partner] ?? 0;
      weights[row] = lambda;
    });
    return { ids, mixing: { partners, weights } };
  }

  /**
   * Rows: `rowsOf(step)`, synthetic ones last.
   *
   * @param room where the inputs are put, until those of another batch are
   * @throws FidelisError REQUEST.INVALID unless `step` is an integer of at least 0
   */
  batch(step: number, room?: InputRoom): Batch {
    const { epoch, ids: own } = this.order.at(step);
    const { augmentation, seed } = this.spec;
    const { length } = this.samples;
    const ids = this.synthetic.after(own, step);
    const inputs = inputValues(ids.length * length, room);
    ids.forEach((id, row) => {
      const values = sampleValues(this.samples, id);
      const augmented =
        row < own.length && values instanceof Uint8Array && isImageShape(this.inputShape)
          ? augment(values, this.inputShape, augmentation, { seed, epoch, id })
          : values;
      writeInput(this.samples, augmented, inputs, row * length);
    });
    batchAugmentation(inputs.subarray(0, own.length * length), own, augmentation, { seed, epoch, step });
    return { ids, inputs, labels: labelsOf(this.samples, ids) };
  }

  /**
   * The samples as they are before anything is done to them.
   *
   * @returns [ids][height][width][channels], scaled to [−1, 1], in the order of `ids`; a new array
   */
  originals(ids: Uint32Array): Float32Array {
    return cleanInputs(this.samples, ids);
  }
}

/**
 * @param others the datasets of `append` and `synthetic`, if the spec has them
 * @throws FidelisError DATASET.MISMATCH, SPEC.INVALID
 */
export function createSequenceView(
  dataset: Dataset,
  spec: SequenceViewSpec,
  others: readonly Dataset[] = [],
): SequenceView {
  if (!isImageShape(dataset.inputShape) && spec.augmentation.length > 0) {
    throw new FidelisError('SPEC.INVALID', 'augmentation: texts have none; leave the field out');
  }
  const { append, synthetic } = spec;
  let samples = viewSamples(dataset, spec);
  if (append !== undefined) {
    samples = appendSamples(samples, dataset, named(others, append.dataset.name), append);
  }
  if (synthetic === undefined) {
    return new SequenceView(spec, dataset.inputShape, dataset.classes, samples, SyntheticDraw.none());
  }
  const other = named(others, synthetic.dataset.name);
  const added = addSource(samples, dataset, other, synthetic, 'synthetic');
  const draw = new SyntheticDraw(batchParts(spec).synthetic, spec.seed, added.source);
  return new SequenceView(spec, dataset.inputShape, dataset.classes, added.samples, draw);
}

function named(others: readonly Dataset[], name: string): Dataset {
  const found = others.find((dataset) => dataset.name === name);
  if (found !== undefined) return found;
  throw new FidelisError('INTERNAL', `the view needs dataset "${name}", which was not loaded for it`);
}
