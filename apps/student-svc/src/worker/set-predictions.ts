import {
  encodeFrame,
  inputDigest,
  partition,
  predictionKey,
  SET_SPLIT,
  type EvaluationSet,
  type StudentJob,
} from '@fidelis/contracts';
import { createTableView, type Dataset } from '@fidelis/data';
import { predictionBatchRows, type Predictor, type StepInfo } from '@fidelis/distillation';
import type { Model, ModelWeights } from '@fidelis/models';
import type { FromTrainer } from './trainer-protocol.js';

export type PredictedJob = Pick<
  StudentJob,
  'runId' | 'correlationId' | 'teacherId' | 'dataset' | 'classes' | 'epochs' | 'evaluation'
>;

/** Metrics come from predictions in eval mode on named sets, never from the training loop's own averages. */
export class SetPredictions {
  constructor(
    private readonly job: PredictedJob,
    private readonly model: Model,
    private readonly predictor: Pick<Predictor, 'predict'>,
    private readonly dataset: Dataset,
    private readonly send: (message: FromTrainer) => Promise<void>,
    /** Called after each forward pass: a set can take longer than a training process may be silent. */
    private readonly onPass: () => Promise<void>,
  ) {}

  /** After each epoch but the last. `weights` is called only where the spec wants its evaluation: it copies them. */
  async during(epoch: number, step: number, weights: () => ModelWeights): Promise<void> {
    const { everyEpochs } = this.job.evaluation;
    if (everyEpochs === 0 || epoch % everyEpochs !== 0 || this.isNamed(step)) return;
    await this.predict('test', epoch, step, weights(), false);
  }

  /** After the steps that the spec names, on every set. `weights` is called only then. */
  async afterStep({ step, epoch }: StepInfo, weights: () => ModelWeights): Promise<void> {
    if (!this.isNamed(step)) return;
    const current = weights();
    for (const set of this.job.evaluation.sets) await this.predict(set, epoch, step, current, false);
  }

  private isNamed(step: number): boolean {
    return this.job.evaluation.atSteps?.includes(step) ?? false;
  }

  /** The finished student, on every set. */
  async afterwards(step: number, weights: ModelWeights): Promise<void> {
    for (const set of this.job.evaluation.sets) await this.predict(set, this.job.epochs, step, weights, true);
  }

  private async predict(
    set: EvaluationSet,
    epoch: number,
    step: number,
    weights: ModelWeights,
    final: boolean,
  ): Promise<void> {
    const { runId, correlationId, teacherId, dataset, classes } = this.job;
    const view = createTableView(this.dataset, { kind: 'table', dataset, split: SET_SPLIT[set] });
    const { parts, partRows } = partition(view.rows, 1, classes, 'f32');
    const streamKey = predictionKey(runId, set, step);
    const frames: Uint8Array[] = [];
    for (let part = 0; part < parts; part++) {
      const ids = view.ids.subarray(part * partRows, (part + 1) * partRows);
      const inputs = view.inputs(ids);
      const values = await this.logits(weights, inputs, ids.length);
      frames.push(
        encodeFrame({
          codec: 'f32',
          part,
          parts,
          streamKey,
          step,
          rows: ids.length,
          members: 1,
          classes,
          inputDigest: inputDigest(inputs),
          values,
        }),
      );
    }
    const request = {
      runId,
      correlationId,
      teacherId,
      dataset,
      set,
      step,
      epoch,
      final,
      rows: view.rows,
      parts,
      partRows,
    };
    await this.send({ type: 'predictions', request, frames });
  }

  /** @returns [rows][classes], by the same forward passes as one call over all rows */
  private async logits(weights: ModelWeights, inputs: Float32Array, rows: number): Promise<Float32Array> {
    const { classes } = this.job;
    const values = new Float32Array(rows * classes);
    const batchRows = predictionBatchRows(this.model);
    const rowLength = inputs.length / rows;
    for (let from = 0; from < rows; from += batchRows) {
      const to = Math.min(from + batchRows, rows);
      const batch = inputs.subarray(from * rowLength, to * rowLength);
      values.set(this.predictor.predict(weights, batch, to - from), from * classes);
      // Lets messages through between two long computations.
      await new Promise(setImmediate);
      await this.onPass();
    }
    return values;
  }
}
