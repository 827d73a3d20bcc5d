import {
  FidelisError,
  inputDigest,
  SET_SPLIT,
  type DatasetRef,
  type EvaluationRequest,
  type LogitFrame,
} from '@fidelis/contracts';
import { createTableView, type Dataset, type TableView } from '@fidelis/data';
import { EvaluationEngine } from '@fidelis/fidelity';
import type { TeacherTables } from './teacher-tables.js';

/** Scores one part of a set's predictions against the teacher's and the labels. */
export class PartScorer {
  private readonly views = new Map<string, TableView>();

  constructor(
    private readonly tables: TeacherTables,
    private readonly bins: number,
    private readonly load: (dataset: DatasetRef) => Promise<Dataset>,
  ) {}

  /**
   * @throws FidelisError TEACHER.NOT_READY; DATASET.MISMATCH; FRAME.INVALID where the part is not where its request says;
   *   STREAM.MISALIGNED where the predictions were made of other inputs
   */
  async score(request: EvaluationRequest, frame: LogitFrame): Promise<EvaluationEngine> {
    const view = await this.view(request);
    const ids = view.ids.subarray(frame.part * request.partRows, (frame.part + 1) * request.partRows);
    if (request.rows !== view.rows || frame.rows !== ids.length) {
      throw new FidelisError(
        'FRAME.INVALID',
        `part ${frame.part} of ${request.set} has ${frame.rows} rows of ${request.rows}, the set has ${ids.length} there of ${view.rows}`,
      );
    }
    if (request.parts !== Math.ceil(request.rows / request.partRows)) {
      throw new FidelisError(
        'FRAME.INVALID',
        `${request.rows} rows in parts of ${request.partRows} are not ${request.parts} parts: the worker has another idea of ${request.set}`,
      );
    }
    this.checkInputs(request, frame, view, ids);
    const table = await this.tables.get(request.teacherId, SET_SPLIT[request.set]);
    if (table.classes !== frame.classes || table.rows !== view.rows) {
      throw new FidelisError(
        'MODEL.MISMATCH',
        `the teacher predicts ${table.rows}×${table.classes}, the student ${view.rows}×${frame.classes}: they answer different questions`,
      );
    }
    const engine = new EvaluationEngine({
      classes: frame.classes,
      labels: true,
      bins: this.bins,
      convention: 'torchmetrics',
    });
    const from = frame.part * request.partRows * frame.classes;
    const teacher = table.logits.subarray(from, from + frame.values.length);
    engine.add({ teacher, student: frame.values, labels: view.labels(ids), rows: frame.rows });
    return engine;
  }

  private checkInputs(
    request: EvaluationRequest,
    frame: LogitFrame,
    view: TableView,
    ids: Uint32Array,
  ): void {
    const expected = inputDigest(view.inputs(ids));
    if (frame.inputDigest === expected) return;
    throw new FidelisError(
      'STREAM.MISALIGNED',
      `the predictions of ${request.runId} on ${request.set} (step ${request.step}, part ${frame.part}) belong to inputs ${frame.inputDigest}, ` +
        `this service's ${request.dataset.name} has ${expected} there: the worker saw other data`,
      {
        details: {
          expected,
          actual: frame.inputDigest,
          spec: view.spec,
          step: request.step,
          part: frame.part,
        },
      },
    );
  }

  private async view({ dataset: { name, digest }, set }: EvaluationRequest): Promise<TableView> {
    const split = SET_SPLIT[set];
    const key = `${digest}.${split}`;
    const known = this.views.get(key);
    if (known !== undefined) return known;
    const view = createTableView(await this.load({ name, digest }), {
      kind: 'table',
      dataset: { name, digest },
      split,
    });
    this.views.set(key, view);
    return view;
  }
}
