import type { ComputeClock } from '@fidelis/compute';
import { encodeFrame, FidelisError, inputDigest } from '@fidelis/contracts';
import { createTableView, loadDatasetOf, type Dataset, type InputShape } from '@fidelis/data';
import { codecError, type FunctionCompiler } from '@fidelis/distillation';
import { ArchiveLogits } from './archive-logits.js';
import { NOTHING } from './codec-errors.js';
import type { Canary } from './canary.js';
import { loadTeacher } from './load-teacher.js';
import type { LogitSource, SampleRows } from './logit-source.js';
import type { FromScorer, PieceTask, SplitTask, StartMessage } from './scorer-protocol.js';
import { StreamViews, type OpenView } from './stream-views.js';

/** Rows of one forward pass over a whole split. */
const SPLIT_ROWS = 4_096;

interface OpenTeacher {
  readonly source: LogitSource;
  /** undefined: there is nothing to score again; what is told is read from files whose digests are checked. */
  readonly canary: Canary | undefined;
}

/** The teacher's forward passes, in eval mode, one for each input of a view. */
export class Scorer {
  private readonly views: StreamViews;

  private constructor(
    private readonly dataset: Dataset,
    private readonly classes: number,
    private readonly teacher: OpenTeacher,
    private readonly clock: ComputeClock,
    private readonly send: (message: FromScorer) => Promise<void>,
  ) {
    this.views = new StreamViews(dataset, this.rowLength);
  }

  static async create(
    start: StartMessage,
    compiler: FunctionCompiler,
    clock: ComputeClock,
    send: (message: FromScorer) => Promise<void>,
  ): Promise<Scorer> {
    const dataset = await loadDatasetOf(start.dataset);
    const teacher = await open(start, dataset.inputShape, compiler);
    return new Scorer(dataset, start.classes, teacher, clock, send);
  }

  /** Values of one row: the members' logits. */
  private get rowLength(): number {
    return this.teacher.source.members * this.classes;
  }

  async work(task: PieceTask | SplitTask, stopping: AbortSignal): Promise<void> {
    if (task.type === 'score-split') await this.scoreSplit(task, stopping);
    else await this.scorePiece(task, stopping);
  }

  forget(key: string): void {
    this.views.forget(key);
  }

  private async scorePiece(task: PieceTask, stopping: AbortSignal): Promise<void> {
    const view = await this.view(task);
    if (view === undefined) return;
    for (let step = task.fromStep; step < task.toStep && !stopping.aborted; step++) {
      await this.step(task, step, view);
    }
  }

  private async view({ key, view }: PieceTask): Promise<OpenView | undefined> {
    try {
      return await this.views.open(key, view);
    } catch (error) {
      await this.send({ type: 'stream-failed', key, error: FidelisError.from(error).toWire() });
      return undefined;
    }
  }

  private async step(task: PieceTask, step: number, view: OpenView): Promise<void> {
    const { key } = task;
    const samples = { ...view.samples(step), place: { key, step } };
    const began = this.clock();
    const values = await this.teacher.source.logits(samples);
    const seconds = this.clock() - began;
    const canaryRows = this.teacher.canary?.check({ key, step, first: view.fresh, samples, values }) ?? 0;
    view.fresh = false;
    const whole = view.whole?.add(step, values);
    if (whole !== undefined) {
      // Before the last step: when the stream is complete, so is what it brings.
      await this.send({ type: 'split-scored', ...whole });
    }
    const { rows } = samples;
    const messages = this.frames(task, step, samples, values);
    // What was stored went through the codec before: nothing can be said of what that did to it.
    const error =
      this.teacher.source instanceof ArchiveLogits
        ? NOTHING
        : codecError(values, rows, this.teacher.source.members, this.classes, task.codec);
    await this.send({ type: 'step', key, step, rows, messages, seconds, canaryRows, codecError: error });
  }

  private frames(
    { key: streamKey, codec, parts, partRows }: PieceTask,
    step: number,
    { inputs, rows }: SampleRows,
    values: Float32Array,
  ): Uint8Array[] {
    const { classes, rowLength } = this;
    const digest = inputDigest(inputs);
    return Array.from({ length: parts }, (_, part) => {
      const from = Math.min(part * partRows, rows);
      const to = Math.min(from + partRows, rows);
      return encodeFrame({
        ...{ codec, part, parts, streamKey, step, classes },
        rows: to - from,
        members: this.teacher.source.members,
        inputDigest: digest,
        values: values.subarray(from * rowLength, to * rowLength),
      });
    });
  }

  private async scoreSplit({ split }: SplitTask, stopping: AbortSignal): Promise<void> {
    const { name, digest } = this.dataset;
    const view = createTableView(this.dataset, { kind: 'table', dataset: { name, digest }, split });
    const values = new Float32Array(view.rows * this.rowLength);
    for (let from = 0; from < view.rows; from += SPLIT_ROWS) {
      const ids = view.ids.subarray(from, from + SPLIT_ROWS);
      const samples = { split, ids, inputs: view.inputs(ids), rows: ids.length };
      values.set(await this.teacher.source.logits(samples), from * this.rowLength);
      // Lets a request to stop through, and says that it lives: a split can take longer than a process may be silent.
      await new Promise(setImmediate);
      if (stopping.aborted) return;
      await this.send({ type: 'split-rows', split, rows: from + ids.length });
    }
    await this.send({ type: 'split-scored', split, rows: view.rows, values });
  }
}

async function open(
  { teacherId, teacher, classes }: StartMessage,
  inputShape: InputShape,
  compiler: FunctionCompiler,
): Promise<OpenTeacher> {
  if (teacher.kind !== 'archive') return loadTeacher({ teacherId, teacher, classes }, inputShape, compiler);
  return { source: await ArchiveLogits.open(teacherId, teacher.directory), canary: undefined };
}
