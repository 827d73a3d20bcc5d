import { startBackend } from '@fidelis/compute';
import { decodeFrame } from '@fidelis/contracts';
import { createTableView, datasetRef, loadDataset } from '@fidelis/data';
import { predictionBatchRows, Predictor } from '@fidelis/distillation';
import { createModel, initialWeights } from '@fidelis/models';
import { beforeAll, describe, expect, it } from 'vitest';
import { SetPredictions, type PredictedJob } from './set-predictions.js';
import type { FromTrainer } from './trainer-protocol.js';

describe("a finished student's predictions of a set", () => {
  beforeAll(() => startBackend({ preference: 'wasm' }));

  it('are those of one call over all of it, and its process can speak between two forward passes', async () => {
    const dataset = await loadDataset('mnist');
    const model = createModel({ name: 'mlp', hiddenUnits: [8] }, dataset.inputShape, 10);
    const weights = initialWeights(model, 7);
    const job: PredictedJob = {
      runId: 'r-0123456789',
      correlationId: 'c-1',
      teacherId: 't-0123456789ab',
      dataset: datasetRef(dataset),
      classes: 10,
      epochs: 1,
      evaluation: { everyEpochs: 0, sets: ['test'] },
    };
    const sent: FromTrainer[] = [];
    const spoke: number[] = [];
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const predictor = new Predictor(model);
    const sut = new SetPredictions(
      job,
      model,
      predictor,
      dataset,
      async (message) => void sent.push(message),
      async () => void spoke.push(turns),
    );
    await sut.afterwards(10, weights);
    clearInterval(counting);

    const view = createTableView(dataset, { kind: 'table', dataset: job.dataset, split: 'test' });
    expect(spoke).toHaveLength(Math.ceil(view.rows / predictionBatchRows(model)));
    const [message] = sent;
    if (message?.type !== 'predictions') throw new Error('no predictions');
    const frames = message.frames.map((frame) => decodeFrame(frame).values);
    const values = Float32Array.from(frames.flatMap((part) => Array.from(part)));
    expect(values).toEqual(predictor.predict(weights, view.inputs(view.ids), view.rows));
  });
});
