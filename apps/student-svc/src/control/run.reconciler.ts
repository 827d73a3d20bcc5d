import {
  FidelisError,
  metricsRpc,
  teacherRpc,
  trainJob,
  type StreamRecord,
  type TeacherRecord,
  streamRpc,
} from '@fidelis/contracts';
import type { JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { datasetInfoOf } from '@fidelis/data';
import { runInContext, type Logger, type MetricsRegistry } from '@fidelis/observability';
import { withDatabaseErrors } from '@fidelis/persistence';
import type { DatasetArchives } from './dataset-archives.js';
import { streamSteps, studentJobOf, wantedTeacher, viewOf } from './run-creation.js';
import type { RunRow } from './run.entity.js';
import type { RunRepository } from './run.repository.js';
import * as transitions from './run-transitions.js';

/**
 * Level-triggered: looks at what an unfinished run is, does the next idempotent thing, and can be called at any time, again, and after a restart.
 * Events only make it look sooner.
 */
export class RunReconciler {
  constructor(
    private readonly runs: RunRepository,
    private readonly rpc: RpcClient,
    private readonly jobs: JobQueue,
    private readonly positions: RunPositions,
    private readonly archives: Pick<DatasetArchives, 'ensure'>,
    private readonly metrics: MetricsRegistry,
    private readonly logger: Logger,
  ) {}

  async reconcile(row: RunRow): Promise<void> {
    await runInContext({ runId: row.id, correlationId: row.correlationId }, async () => {
      try {
        await withDatabaseErrors(() => this.advance(row));
      } catch (error) {
        await this.report(row, FidelisError.from(error));
      }
    });
  }

  private async advance(row: RunRow): Promise<void> {
    if (row.plan.cancelRequested && !transitions.isEnded(row)) return this.cancel(row);
    switch (row.state) {
      case 'preparing':
        return this.prepare(row);
      case 'queued':
      case 'training':
        return this.awaitResult(row);
      case 'evaluating':
        await this.settleAccount(row);
        return this.recoverEvaluations(row);
      case 'completed':
      case 'failed':
      case 'cancelled':
        return this.release(row);
    }
  }

  private async prepare(row: RunRow): Promise<void> {
    // Before anybody is asked for anything that needs them, on a machine that may lack them.
    for (const dataset of [row.lineage.dataset, ...(row.plan.others ?? [])])
      await this.archives.ensure(dataset);
    const teacher = await this.ensureTeacher(row);
    await this.runs.change(row.id, (current) => ({
      visible: transitions.teacherReported(current, teacher, new Date()),
    }));
    if (teacher.state !== 'ready') return;
    const stream = await this.openStream(row, teacher);
    const queued = await this.runs.change(row.id, (current) => {
      // It ended while this was on the way, and its streams were perhaps released before they knew of it.
      if (transitions.isEnded(current)) current.released = false;
      return { visible: transitions.streamOpened(current, stream, new Date()) };
    });
    if (queued === undefined) await this.rpc.call(streamRpc.release, { runId: row.id });
    else await this.enqueue(queued);
  }

  /** The queue holds one job of a run at most, so this can be done again for as long as there is no result: a job that was lost is back at once. */
  private async enqueue(row: RunRow): Promise<void> {
    const { stream } = row.plan;
    if (stream === null || (row.state !== 'queued' && row.state !== 'training')) return;
    const { correlationId } = row;
    await this.jobs.enqueue(trainJob, row.spec.placement, row.id, studentJobOf(row, stream), {
      correlationId,
    });
  }

  private async ensureTeacher(row: RunRow): Promise<TeacherRecord> {
    const { dataset } = row.lineage;
    const wanted = wantedTeacher(row.spec, dataset);
    const { correlationId } = row;
    if (wanted.kind !== 'table') {
      return this.rpc.call(teacherRpc.ensure, { ...wanted, correlationId }, { correlationId });
    }
    const { logits, testLogits } = wanted;
    return this.rpc.call(
      teacherRpc.provide,
      { dataset, logits, testLogits, correlationId },
      { correlationId },
    );
  }

  /** @returns the stream as far as this run reads it: others may have asked for more steps before */
  private async openStream(row: RunRow, teacher: TeacherRecord): Promise<StreamRecord> {
    const view = viewOf(row.spec, row.lineage.dataset, row.plan.others);
    const info = datasetInfoOf(row.lineage.dataset);
    if (teacher.spec.dataset.digest !== row.lineage.dataset.digest) {
      throw new FidelisError(
        'DATASET.MISMATCH',
        `teacher ${teacher.id} was trained on ${teacher.spec.dataset.name} (${teacher.spec.dataset.digest.slice(0, 12)}…), ` +
          `this run uses ${row.lineage.dataset.name} (${row.lineage.dataset.digest.slice(0, 12)}…): choose a teacher of the same data`,
      );
    }
    const steps = streamSteps(view, info, row.spec.student.epochs);
    const stream = await this.rpc.call(
      streamRpc.open,
      {
        teacherId: teacher.id,
        view,
        codec: row.spec.codec,
        steps,
        runId: row.id,
        correlationId: row.correlationId,
      },
      { correlationId: row.correlationId },
    );
    return { ...stream, steps };
  }

  /** A worker writes its result into the KV before it tells: if the telling was lost, it is found here. */
  private async awaitResult(row: RunRow): Promise<void> {
    const found = await this.positions.read(row.id);
    const result = found?.position.result;
    if (found === undefined || result === undefined || result === null) return this.enqueue(row);
    await this.runs.change(row.id, (current) => ({
      visible: transitions.trainingFinished(current, found.position.token, result, new Date()),
    }));
  }

  private async settleAccount(row: RunRow): Promise<void> {
    const { stream: opened, framesNeeded } = row.plan;
    if (opened === null || framesNeeded === undefined || row.frames.closed !== null) return;
    const stream = await this.streamNow(row, opened);
    let settled = false;
    const after = await this.runs.change(row.id, (current) => {
      settled = transitions.accountSettled(current, stream, new Date());
      return { visible: settled };
    });
    if (!settled || after?.frames.closed !== false) return;
    this.metrics.counter('fidelis_accounting_open_total').inc();
    this.logger.error(
      { frames: after.frames, framesNeeded, streamKey: opened.key },
      'the account of the run does not close: what was published, consumed and trained on is not the same',
    );
  }

  /** One that was removed under the run counts for what was heard of it. */
  private async streamNow({ frames, correlationId }: RunRow, opened: StreamRecord): Promise<StreamRecord> {
    try {
      return (await this.rpc.call(streamRpc.get, { key: opened.key }, { correlationId })).stream;
    } catch (error) {
      if (!FidelisError.is(error) || error.code !== 'STREAM.NOT_FOUND') throw error;
      return { ...opened, state: 'expired', publishedSteps: frames.published };
    }
  }

  /** Its streams need not keep anything for it any more. */
  private async release(row: RunRow): Promise<void> {
    if (row.released) return;
    await this.rpc.call(streamRpc.release, { runId: row.id }, { correlationId: row.correlationId });
    await this.runs.change(row.id, (current) => {
      current.released = true;
      return { visible: false };
    });
  }

  private async recoverEvaluations(row: RunRow): Promise<void> {
    const { evaluations } = await this.rpc.call(metricsRpc.evaluations, { runIds: [row.id], final: true });
    if (evaluations.length === 0) return;
    await this.runs.change(row.id, (current) => {
      const changes = evaluations.map((evaluation) => transitions.evaluated(current, evaluation, new Date()));
      return { visible: changes.includes(true) };
    });
  }

  /** The worker stops within a step and says so; a run that no worker has is ended here. */
  private async cancel(row: RunRow): Promise<void> {
    await this.positions.requestCancel(row.id);
    const found = await this.positions.read(row.id);
    const running = found !== undefined && found.position.result === null && row.state === 'training';
    // A job that was lost with its worker is queued again: whoever takes it says that it is cancelled.
    if (running) return this.enqueue(row);
    await this.runs.change(row.id, (current) => ({ visible: transitions.cancelled(current, new Date()) }));
  }

  /**
   * Ends a run that cannot go on. Who may be at work for it is told before: after, a crash in between would leave a worker waiting for
   * frames that never come.
   */
  async fail(row: RunRow, apply: (current: RunRow) => boolean): Promise<void> {
    if (row.state === 'queued' || row.state === 'training') await this.positions.requestCancel(row.id);
    await this.runs.change(row.id, (current) => ({ visible: apply(current) }));
  }

  private async report(row: RunRow, error: FidelisError): Promise<void> {
    if (error.retryable) {
      this.logger.warn({ code: error.code, err: error }, 'will be tried again');
      return;
    }
    this.logger.error({ code: error.code, err: error }, 'the run failed');
    await this.fail(row, (current) => transitions.failed(current, error, new Date()));
  }
}
