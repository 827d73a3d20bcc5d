import { encodeFrame, FidelisError, inputDigest } from '@fidelis/contracts';
import {
  createSequenceView,
  createTableView,
  inputLength,
  loadDataset,
  loadOthers,
  type Dataset,
} from '@fidelis/data';
import { Predictor, type FunctionCompiler } from '@fidelis/distillation';
import { createModel, decodeWeights } from '@fidelis/models';
import { MemberPredictions } from './member-predictions.js';
import type { FromScorer, SplitTask, StreamTask, ToScorer } from './scorer-protocol.js';

/** Rows of one forward pass over a whole split. */
const SPLIT_ROWS = 4_096;

/** The teacher's forward passes, in eval mode, one for each input of a view. */
export class Scorer {
  private constructor(
    private readonly dataset: Dataset,
    private readonly classes: number,
    private readonly predictions: MemberPredictions,
    private readonly send: (message: FromScorer) => Promise<void>,
  ) {}

  static async create(
    start: Extract<ToScorer, { type: 'start' }>,
    compiler: FunctionCompiler,
    send: (message: FromScorer) => Promise<void>,
  ): Promise<Scorer> {
    const dataset = await loadDataset(start.dataset.name);
    if (dataset.digest !== start.dataset.digest) {
      throw new FidelisError(
        'DATASET.MISMATCH',
        `this machine's ${start.dataset.name} is not the data that the teacher was trained on`,
      );
    }
    const model = createModel(start.architecture, dataset.inputShape, start.classes);
    const weights = start.members.map((member) => decodeWeights(model, member));
    const predictor = new Predictor(model, compiler);
    const predictions = new MemberPredictions(predictor, weights, start.classes);
    return new Scorer(dataset, start.classes, predictions, send);
  }

  /** Values of one row: the members' logits. */
  private get rowLength(): number {
    return this.predictions.members * this.classes;
  }

  async work(task: StreamTask | SplitTask, stopping: AbortSignal): Promise<void> {
    if (task.type === 'score-split') await this.scoreSplit(task);
    else if (task.view.kind === 'table') await this.scoreTable(task, stopping);
    else await this.scoreSequence(task, stopping);
  }

  private async scoreTable(task: StreamTask, stopping: AbortSignal): Promise<void> {
    if (task.view.kind !== 'table') return;
    const view = createTableView(this.dataset, task.view);
    const whole =
      task.view.subset === undefined && task.fromStep === 0
        ? new Float32Array(view.rows * this.rowLength)
        : undefined;
    let offset = 0;
    for (let step = task.fromStep; step < task.toStep && !stopping.aborted; step++) {
      const values = await this.step(task, step, view.chunk(step).inputs);
      whole?.set(values, offset);
      offset += values.length;
    }
    if (whole === undefined || offset < whole.length) return;
    await this.send({ type: 'split-scored', split: task.view.split, rows: view.rows, values: whole });
  }

  private async scoreSequence(task: StreamTask, stopping: AbortSignal): Promise<void> {
    if (task.view.kind !== 'sequence') return;
    const view = createSequenceView(this.dataset, task.view, await loadOthers(task.view));
    for (let step = task.fromStep; step < task.toStep && !stopping.aborted; step++) {
      await this.step(task, step, view.batch(step).inputs);
    }
  }

  private async step(task: StreamTask, step: number, inputs: Float32Array): Promise<Float32Array> {
    const rows = inputs.length / inputLength(this.dataset.inputShape);
    const began = performance.now();
    const values = this.predictions.predict(inputs, rows);
    const seconds = (performance.now() - began) / 1_000;
    await this.send({
      type: 'step',
      key: task.key,
      step,
      rows,
      messages: this.frames(task, step, inputs, values, rows),
      seconds,
    });
    return values;
  }

  private frames(
    task: StreamTask,
    step: number,
    inputs: Float32Array,
    values: Float32Array,
    rows: number,
  ): Uint8Array[] {
    const { key: streamKey, codec, parts, partRows } = task;
    const { classes, rowLength } = this;
    const digest = inputDigest(inputs);
    return Array.from({ length: parts }, (_, part) => {
      const from = Math.min(part * partRows, rows);
      const to = Math.min(from + partRows, rows);
      return encodeFrame({
        codec,
        part,
        parts,
        streamKey,
        step,
        rows: to - from,
        members: this.predictions.members,
        classes,
        inputDigest: digest,
        values: values.subarray(from * rowLength, to * rowLength),
      });
    });
  }

  private async scoreSplit({ split }: SplitTask): Promise<void> {
    const { name, digest } = this.dataset;
    const view = createTableView(this.dataset, { kind: 'table', dataset: { name, digest }, split });
    const values = new Float32Array(view.rows * this.rowLength);
    for (let from = 0; from < view.rows; from += SPLIT_ROWS) {
      const ids = view.ids.subarray(from, from + SPLIT_ROWS);
      values.set(this.predictions.predict(view.inputs(ids), ids.length), from * this.rowLength);
      // Lets a request to stop through.
      await new Promise(setImmediate);
    }
    await this.send({ type: 'split-scored', split, rows: view.rows, values });
  }
}
