import { PredictionPublisher, type ArtifactStore } from '@fidelis/bus';
import {
  encodeFrame,
  inputDigest,
  predictionKey,
  teacherRpc,
  type EvaluationRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import { createTableView, datasetRef, loadDataset, type TableView } from '@fidelis/data';
import { EvaluationEngine } from '@fidelis/fidelity';
import type { RunningService } from './services-fixture.js';

type Predictions = RpcResponse<typeof teacherRpc.predictions>;

export interface SetShape {
  readonly classes: number;
  readonly partRows: number;
}

/** Predictions of one teacher and one student on the test split of MNIST, whose labels are 0…9, for any number of classes. */
export class PredictionSet {
  readonly parts: number;
  readonly rows: number;

  private constructor(
    private readonly view: TableView,
    private readonly shape: SetShape,
    private readonly teacher: Float32Array,
    private readonly student: Float32Array,
  ) {
    this.rows = view.rows;
    this.parts = Math.ceil(view.rows / shape.partRows);
  }

  /** @param logit of a model at a row and a class */
  static async create(
    shape: SetShape,
    logit: (model: 'teacher' | 'student', row: number, column: number) => number,
  ): Promise<PredictionSet> {
    const dataset = await loadDataset('mnist');
    const view = createTableView(dataset, { kind: 'table', dataset: datasetRef(dataset), split: 'test' });
    const logits = (model: 'teacher' | 'student'): Float32Array =>
      Float32Array.from({ length: view.rows * shape.classes }, (_, index) =>
        logit(model, Math.floor(index / shape.classes), index % shape.classes),
      );
    return new PredictionSet(view, shape, logits('teacher'), logits('student'));
  }

  async storeTeacher(artifacts: ArtifactStore): Promise<Predictions> {
    const artifact = await artifacts.put(new Uint8Array(this.teacher.buffer));
    const { classes } = this.shape;
    return {
      state: 'ready',
      artifact,
      teacherDigest: 'fe'.repeat(32),
      rows: this.rows,
      members: 1,
      classes,
    };
  }

  request(runId: string): EvaluationRequest {
    return {
      runId,
      correlationId: `c-${runId}`,
      teacherId: 't-0123456789ab',
      dataset: this.view.spec.dataset,
      set: 'test',
      step: 469,
      epoch: 1,
      final: true,
      rows: this.rows,
      parts: this.parts,
      partRows: this.shape.partRows,
    };
  }

  frame(request: EvaluationRequest, part: number): Uint8Array {
    const { ids, from, to } = this.place(part);
    return encodeFrame({
      codec: 'f32',
      part,
      parts: this.parts,
      streamKey: predictionKey(request.runId, request.set, request.step),
      step: request.step,
      rows: ids.length,
      members: 1,
      classes: this.shape.classes,
      inputDigest: inputDigest(this.view.inputs(ids)),
      values: this.student.subarray(from, to),
    });
  }

  /** Publishes all parts in their order. */
  async publish(service: RunningService, runId: string): Promise<void> {
    const request = this.request(runId);
    const frames = Array.from({ length: this.parts }, (_, part) => this.frame(request, part));
    await service.get(PredictionPublisher).publish(request, frames);
  }

  /** What the library gives for the whole set at once. */
  whole(): EvaluationEngine {
    const engine = new EvaluationEngine({ classes: this.shape.classes, labels: true });
    const { teacher, student, rows, view } = this;
    engine.add({ teacher, student, labels: view.labels(view.ids), rows });
    return engine;
  }

  private place(part: number): { readonly ids: Uint32Array; readonly from: number; readonly to: number } {
    const { classes, partRows } = this.shape;
    const ids = this.view.ids.subarray(part * partRows, (part + 1) * partRows);
    const from = part * partRows * classes;
    return { ids, from, to: from + ids.length * classes };
  }
}
