import { Controller, Inject } from '@nestjs/common';
import {
  FidelisError,
  metricsEvents,
  teacherEvents,
  trainingEvents,
  type EvaluationRecord,
  type StreamRecord,
  type TeacherRecord,
  type TrainingProgress,
  type EventPayload,
  streamEvents,
} from '@fidelis/contracts';
import { OnEvent } from '@fidelis/bus';
import type { RunRow } from './run.entity.js';
import { RunLoop } from './run-loop.js';
import { RunReconciler } from './run.reconciler.js';
import { RunRepository } from './run.repository.js';
import * as transitions from './run-transitions.js';

/** What others report of the runs. */
@Controller()
export class ReportController {
  constructor(
    @Inject(RunRepository) private readonly runs: RunRepository,
    @Inject(RunLoop) private readonly loop: RunLoop,
    @Inject(RunReconciler) private readonly reconciler: RunReconciler,
  ) {}

  @OnEvent(teacherEvents.changed, { durable: 'student-control' })
  async teacherChanged(teacher: TeacherRecord): Promise<void> {
    for (const { id } of await this.runs.unfinished({ teacherId: teacher.id, state: 'preparing' })) {
      await this.runs.change(id, (row) => ({
        visible: transitions.teacherReported(row, teacher, new Date()),
      }));
      if (teacher.state === 'ready') this.loop.look(id);
    }
  }

  @OnEvent(streamEvents.changed, { durable: 'student-control' })
  async streamChanged(stream: StreamRecord): Promise<void> {
    for (const row of await this.runs.unfinished({ streamKey: stream.key })) {
      const apply = (current: RunRow): boolean => transitions.streamReported(current, stream, new Date());
      if (transitions.endsWithStream(row, stream)) await this.reconciler.fail(row, apply);
      else await this.runs.change(row.id, (current) => ({ visible: apply(current) }));
    }
  }

  @OnEvent(trainingEvents.started, { durable: 'student-control' })
  async started({ runId, token }: EventPayload<typeof trainingEvents.started>): Promise<void> {
    await this.runs.change(runId, (row) => ({
      visible: transitions.trainingStarted(row, token, new Date()),
    }));
  }

  @OnEvent(trainingEvents.progress, { durable: 'student-control' })
  async progressed(report: TrainingProgress): Promise<void> {
    await this.runs.change(report.runId, (row) => ({
      visible: transitions.trainingProgressed(row, report, new Date()),
    }));
  }

  @OnEvent(trainingEvents.finished, { durable: 'student-control' })
  async finished({
    runId,
    kind,
    token,
    result,
  }: EventPayload<typeof trainingEvents.finished>): Promise<void> {
    if (kind !== 'student') return;
    const run = await this.runs.change(runId, (row) => ({
      visible: transitions.trainingFinished(row, token, result, new Date()),
    }));
    if (run !== undefined) this.loop.look(runId);
  }

  @OnEvent(metricsEvents.evaluated, { durable: 'student-control' })
  async evaluated(evaluation: EvaluationRecord): Promise<void> {
    const run = await this.runs.change(evaluation.runId, (row) => ({
      visible: transitions.evaluated(row, evaluation, new Date()),
    }));
    if (run !== undefined && evaluation.final) this.loop.look(run.id);
  }

  @OnEvent(metricsEvents.failed, { durable: 'student-control' })
  async notEvaluated({ runId, set, error }: EventPayload<typeof metricsEvents.failed>): Promise<void> {
    const failure = FidelisError.fromWire({
      ...error,
      message: `the predictions on ${set} could not be scored: ${error.message}`,
    });
    for (const row of await this.runs.unfinished({ id: runId })) {
      await this.reconciler.fail(row, (current) => transitions.failed(current, failure, new Date()));
    }
  }
}
