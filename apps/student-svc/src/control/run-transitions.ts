import {
  ENDED_RUN_STATES,
  isGiven,
  type ErrorWire,
  type EvaluationRecord,
  type FidelisError,
  type RunStage,
  type StageName,
  type StreamRecord,
  type TeacherRecord,
  type TrainingProgress,
  type TrainingResult,
} from '@fidelis/contracts';
import { rowsOfSteps } from './run-creation.js';
import type { RunRow } from './run.entity.js';

/**
 * What each report does to a run. Every function changes the row it is given, says whether people can see a difference, and is idempotent: the bus
 * delivers at least once and not always in order.
 */

export function isEnded(row: Pick<RunRow, 'state'>): boolean {
  return ENDED_RUN_STATES.includes(row.state);
}

export function teacherReported(row: RunRow, teacher: TeacherRecord, now: Date): boolean {
  if (row.state !== 'preparing') return false;
  row.teacherId = teacher.id;
  // Word of its training can come after word of its end.
  const teacherDigest = teacher.weightsDigest ?? row.lineage.teacherDigest;
  row.lineage = { ...row.lineage, teacherId: teacher.id, teacherDigest };
  if (teacher.state === 'failed') {
    failed(row, teacherFailure(teacher), now);
    return true;
  }
  if (teacher.state === 'ready') {
    const { memberModels, spec } = teacher;
    // Of a table of logits no student starts.
    if (!isGiven(spec))
      row.plan = { ...row.plan, teacher: { memberModels, architecture: spec.architecture } };
  }
  const { done, total } = teacher.progress;
  const reused = teacher.readyAt !== null && new Date(teacher.readyAt) < row.createdAt;
  const changed = advanceStage(row, 'teacher', { done, total, reused }, now);
  return teacher.state === 'ready' ? finishStage(row, 'teacher', now) || changed : changed;
}

function teacherFailure(teacher: TeacherRecord): ErrorWire {
  const reason = teacher.error?.message ?? 'no reason was given';
  return {
    code: 'TEACHER.FAILED',
    message: `teacher ${teacher.id} could not be trained: ${reason}`,
    retryable: false,
    details: { teacherId: teacher.id, cause: teacher.error },
  };
}

export function streamOpened(row: RunRow, stream: StreamRecord, now: Date): boolean {
  if (row.state !== 'preparing') return false;
  row.streamKey = stream.key;
  row.lineage = { ...row.lineage, streamKey: stream.key };
  row.plan = { ...row.plan, stream };
  const reused = stream.publishedSteps >= stream.steps;
  advanceStage(row, 'stream', { ...streamRows(row, stream, stream.publishedSteps), reused }, now);
  row.state = 'queued';
  streamReported(row, stream, now);
  return true;
}

/**
 * True if frames that the run still needs will not come. A stream can also fail where only another run reads on; one whose steps are gone
 * for good has lost them for each that is not yet trained.
 */
export function endsWithStream(row: RunRow, stream: StreamRecord): boolean {
  const wanted = row.plan.stream?.steps;
  if (isEnded(row) || row.state === 'evaluating' || wanted === undefined || stream.state !== 'failed')
    return false;
  const published = Math.max(row.frames.published, stream.publishedSteps);
  return published < wanted || stream.error?.code === 'STREAM.GONE';
}

export function streamReported(row: RunRow, stream: StreamRecord, now: Date): boolean {
  const wanted = row.plan.stream?.steps;
  if (isEnded(row) || wanted === undefined) return false;
  if (endsWithStream(row, stream)) {
    failed(
      row,
      stream.error ?? { code: 'INTERNAL', message: `stream ${stream.key} failed`, retryable: false },
      now,
    );
    return true;
  }
  // Another run may have asked for more steps than this one reads.
  const done = Math.max(row.frames.published, Math.min(stream.publishedSteps, wanted));
  const changed = row.frames.published !== done;
  row.frames = { ...row.frames, published: done };
  advanceStage(row, 'stream', streamRows(row, stream, done), now);
  return done >= wanted ? finishStage(row, 'stream', now) || changed : changed;
}

/**
 * Settles the run's account when its training is done: distinct frames that the teacher stored for it = that the student took in = that it
 * trained on. Waits for the teacher's count while the stream grows.
 *
 * @param stream as its teacher tells it now
 * @returns whether it was settled by this
 */
export function accountSettled(row: RunRow, stream: StreamRecord, now: Date): boolean {
  const { framesNeeded: needed, stream: opened } = row.plan;
  if (row.state !== 'evaluating' || opened === null || needed === undefined || row.frames.closed !== null) {
    return false;
  }
  const published = Math.min(stream.publishedSteps, opened.steps);
  const growing = stream.state === 'opening' || stream.state === 'producing';
  if (published < needed && growing) return false;
  row.frames = closedFrames({ ...row.frames, published }, needed);
  row.lineage = { ...row.lineage, teacherProducer: stream.producers[0]?.fingerprint ?? null };
  if (published === opened.steps) {
    advanceStage(row, 'stream', streamRows(row, stream, published), now);
    finishStage(row, 'stream', now);
  }
  completeIfEvaluated(row, now);
  return true;
}

/** A student that learned from labels alone needed no frames, and saw what it saw. */
function closedFrames(frames: RunRow['frames'], needed: number): RunRow['frames'] {
  const { published, consumed, trained } = frames;
  const closed = needed === 0 || [published, consumed, trained].every((count) => count === needed);
  return { ...frames, closed };
}

/** The stage of the stream is counted in rows: what people know of a dataset. */
function streamRows(row: RunRow, { view }: StreamRecord, steps: number): { done: number; total: number } {
  const { viewRows, stream } = row.plan;
  const wanted = stream?.steps ?? steps;
  return {
    done: rowsOfSteps(view, viewRows, Math.min(steps, wanted)),
    total: rowsOfSteps(view, viewRows, wanted),
  };
}

/** The token makes reports of an attempt that lost the run harmless. */
export function trainingStarted(row: RunRow, token: number, now: Date): boolean {
  if (isEnded(row) || row.state === 'evaluating' || token <= row.plan.token) return false;
  row.plan = { ...row.plan, token };
  row.attempts += 1;
  row.state = 'training';
  row.startedAt ??= now;
  // Its first report says where it goes on.
  row.progress = { ...row.progress, step: 0, epoch: 0 };
  advanceStage(row, 'student', { done: 0, total: row.progress.steps }, now);
  return true;
}

export function trainingProgressed(row: RunRow, report: TrainingProgress, now: Date): boolean {
  if (row.state !== 'training' || report.token !== row.plan.token) return false;
  if (report.step < row.progress.step) return false;
  const { step, steps, epoch, epochs, loss, learningRate, imagesPerSecond, waitSeconds } = report;
  row.progress = { step, steps, epoch, epochs, loss, learningRate, imagesPerSecond, waitSeconds };
  row.frames = { ...row.frames, consumed: report.framesConsumed, trained: report.framesTrained };
  advanceStage(row, 'student', { done: step, total: steps }, now);
  return true;
}

export function trainingFinished(row: RunRow, token: number, result: TrainingResult, now: Date): boolean {
  if (isEnded(row) || row.state === 'evaluating' || token < row.plan.token) return false;
  if (result.outcome === 'failed') return failed(row, result.error, now);
  if (result.outcome === 'cancelled') return cancelled(row, now);
  // The word of its start is still on the way, and will come too late.
  if (token > row.plan.token) row.attempts += 1;
  const { weights, producer, execution = null, framesNeeded } = result;
  row.plan = { ...row.plan, token, ...(framesNeeded === undefined ? {} : { framesNeeded }) };
  row.lineage = { ...row.lineage, weightsDigest: weights, producer, execution };
  row.frames = { ...row.frames, consumed: result.framesConsumed, trained: result.framesTrained };
  row.progress = {
    ...row.progress,
    step: result.steps,
    steps: result.steps,
    epoch: row.progress.epochs,
    loss: result.finalLoss,
    imagesPerSecond: result.imagesPerSecond,
    waitSeconds: result.waitSeconds,
  };
  row.startedAt ??= now;
  row.state = 'evaluating';
  advanceStage(row, 'student', { done: result.steps, total: result.steps }, now);
  finishStage(row, 'student', now);
  advanceStage(
    row,
    'evaluation',
    { done: row.plan.evaluatedSets.length, total: row.spec.evaluation.sets.length },
    now,
  );
  return completeIfEvaluated(row, now) || true;
}

/** Evaluations of the finished student can arrive before the word that it is finished. */
export function evaluated(row: RunRow, evaluation: EvaluationRecord, now: Date): boolean {
  if (isEnded(row) || !evaluation.final || row.plan.evaluatedSets.includes(evaluation.set)) return false;
  row.plan = { ...row.plan, evaluatedSets: [...row.plan.evaluatedSets, evaluation.set] };
  if (row.state !== 'evaluating') return false;
  advanceStage(
    row,
    'evaluation',
    { done: row.plan.evaluatedSets.length, total: row.spec.evaluation.sets.length },
    now,
  );
  completeIfEvaluated(row, now);
  return true;
}

function completeIfEvaluated(row: RunRow, now: Date): boolean {
  if (row.plan.framesNeeded !== undefined && row.frames.closed === null) return false;
  if (!row.spec.evaluation.sets.every((set) => row.plan.evaluatedSets.includes(set))) return false;
  finishStage(row, 'evaluation', now);
  row.state = 'completed';
  row.endedAt = now;
  return true;
}

export function failed(row: RunRow, error: ErrorWire | FidelisError, now: Date): boolean {
  if (isEnded(row)) return false;
  row.error = 'toWire' in error ? error.toWire() : error;
  end(row, 'failed', now);
  return true;
}

export function cancelled(row: RunRow, now: Date): boolean {
  if (isEnded(row)) return false;
  end(row, 'cancelled', now);
  return true;
}

/** A run that failed goes on: with what is left to evaluate where its student is trained, else from its last checkpoint. */
export function revived(row: RunRow): boolean {
  if (row.state !== 'failed') return false;
  row.state = row.lineage.weightsDigest === null ? 'preparing' : 'evaluating';
  row.error = null;
  row.endedAt = null;
  row.released = false;
  // The attempts of the next worker are newer than any before.
  row.plan = { ...row.plan, cancelRequested: false };
  row.stages = row.stages.map((stage) =>
    stage.state === 'failed' ? { ...stage, state: 'running', seconds: null } : stage,
  );
  return true;
}

function end(row: RunRow, state: 'failed' | 'cancelled', now: Date): void {
  row.state = state;
  row.endedAt = now;
  row.stages = row.stages.map((stage) =>
    stage.state === 'running' ? { ...stage, state: 'failed', seconds: secondsSince(stage, now) } : stage,
  );
}

function advanceStage(
  row: RunRow,
  name: StageName,
  update: { done: number; total: number; reused?: boolean },
  now: Date,
): boolean {
  let changed = false;
  row.stages = row.stages.map((stage) => {
    if (stage.name !== name || stage.state === 'done') return stage;
    const next: RunStage = {
      ...stage,
      ...update,
      state: 'running',
      startedAt: stage.startedAt ?? now.toISOString(),
    };
    changed = changed || stage.state !== 'running' || stage.done !== next.done || stage.total !== next.total;
    return next;
  });
  return changed;
}

function finishStage(row: RunRow, name: StageName, now: Date): boolean {
  let changed = false;
  row.stages = row.stages.map((stage) => {
    if (stage.name !== name || stage.state === 'done') return stage;
    changed = true;
    return {
      ...stage,
      state: 'done',
      done: stage.total,
      seconds: stage.reused ? 0 : secondsSince(stage, now),
    };
  });
  return changed;
}

function secondsSince(stage: RunStage, now: Date): number {
  return stage.startedAt === null
    ? 0
    : Math.max(0, now.getTime() - new Date(stage.startedAt).getTime()) / 1_000;
}
