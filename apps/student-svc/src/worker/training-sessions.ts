import {
  FidelisError,
  trainingEvents,
  type DatasetRef,
  type StudentJob,
  type TrainingResult,
  type TrainJob,
} from '@fidelis/contracts';
import {
  whileWorking,
  type ArtifactStore,
  type EventPublisher,
  type FrameLoss,
  type LogitLog,
  type MessageContext,
  type PredictionPublisher,
  type RunPositions,
  type StoredFrame,
} from '@fidelis/bus';
import { ComputeChild, withSilenceLimit } from '@fidelis/compute';
import { otherRefs } from '@fidelis/data';
import type { Logger, MetricsRegistry } from '@fidelis/observability';
import type { DatasetCopies } from '@fidelis/service';
import type { WorkerConfig } from '../config.js';
import { sendInBatches } from './frame-batches.js';
import type { RunClaim } from './run-claim.js';
import type { FromTrainer, SentFrame, ToTrainer, TrainerProgress } from './trainer-protocol.js';

/** The same from `src` and from `dist`: what is forked is always the build. */
const TRAINER = new URL('../../dist/worker/trainer.child.js', import.meta.url);
const CHILD_GRACE_MS = 3_000;
/** How often a log has a line of a training's progress. */
const LOG_EVERY_MS = 2_000;

export interface SessionPorts {
  readonly artifacts: ArtifactStore;
  readonly events: EventPublisher;
  readonly logits: LogitLog;
  readonly predictions: PredictionPublisher;
  readonly positions: RunPositions;
  readonly datasets: Pick<DatasetCopies, 'ensure'>;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  readonly config: WorkerConfig;
}

/** Runs trainings in child processes: feeds them frames, carries out what they report. */
export class TrainingSessions {
  constructor(private readonly ports: SessionPorts) {}

  /** @throws FidelisError: what the training failed with; RUN.LEASE_LOST; TRAINING.CHILD_EXITED */
  async run(job: TrainJob, claim: RunClaim, context: MessageContext): Promise<TrainingResult> {
    const { positions, config } = this.ports;
    await this.ports.datasets.ensure(datasetsOf(job), context);
    const checkpoint = await this.checkpoint(claim);
    const ended = new AbortController();
    const cancelled = new AbortController();
    const stopWatching = await positions.watchCancel(job.runId, () => cancelled.abort());
    const child = ComputeChild.spawn<ToTrainer, FromTrainer>(TRAINER);
    const stop = AbortSignal.any([cancelled.signal, context.signal]);
    const kill = (): void => void child.stop({ graceMs: CHILD_GRACE_MS });
    stop.addEventListener('abort', kill);
    const began = performance.now();
    try {
      stop.throwIfAborted();
      await child.send({
        type: 'start',
        job,
        backend: config.FIDELIS_BACKEND,
        threads: config.FIDELIS_THREADS,
        eager: config.FIDELIS_EAGER,
        graphs: config.FIDELIS_GRAPHS_DIR,
        allowProducerChange: config.FIDELIS_ALLOW_PRODUCER_CHANGE,
        checkpoint,
        teacherWeights: checkpoint === null ? await this.teacherWeights(job) : null,
      });
      const feeding = job.kind === 'student' ? this.feed(job, claim, child, ended.signal) : Promise.resolve();
      // One step, or the predictions of one batch, may take longer than ack_wait: how long a silence lasts is limited here, not by the queue.
      const result = await whileWorking(context, () => this.follow(job, claim, child));
      // What it did not need, as after the last checkpoint, is not waited for: it may never come.
      ended.abort();
      await feeding;
      return result;
    } catch (error) {
      if (cancelled.signal.aborted) return { outcome: 'cancelled' };
      throw withLastCheckpoint(error, claim);
    } finally {
      this.ports.metrics
        .counter('fidelis_training_seconds_total')
        .inc({ kind: job.kind }, (performance.now() - began) / 1_000);
      await this.ports.metrics.forgetRun(job.runId);
      stopWatching();
      ended.abort();
      stop.removeEventListener('abort', kill);
      await child.stop({ graceMs: CHILD_GRACE_MS });
    }
  }

  private async teacherWeights(job: TrainJob): Promise<Uint8Array | null> {
    if (job.kind !== 'student' || job.start?.kind !== 'interpolate') return null;
    return this.ports.artifacts.get(job.start.weights);
  }

  private async checkpoint(claim: RunClaim): Promise<Uint8Array | null> {
    const { checkpoint } = claim.position;
    return checkpoint === null ? null : this.ports.artifacts.get(checkpoint);
  }

  /**
   * Frames from the stream into the child, as fast as it takes them. An error here goes through the child, so that the run has one end.
   */
  private async feed(
    job: StudentJob,
    claim: RunClaim,
    child: ComputeChild<ToTrainer, FromTrainer>,
    signal: AbortSignal,
  ): Promise<void> {
    const { key, parts, steps } = job.stream;
    const fromStep = firstStep(job, claim);
    try {
      const frames = this.ports.logits.read(key, {
        parts,
        fromStep,
        toStep: steps,
        signal,
        // Its teacher produces again what a run needs.
        onGone: 'wait',
        onLoss: (loss) => this.lost(loss),
      });
      await sendInBatches(sentFrames(frames), (batch) => child.send({ type: 'frames', frames: batch }));
    } catch (error) {
      if (signal.aborted) return;
      await child
        .send({ type: 'stream-failed', error: FidelisError.from(error).toWire() })
        .catch(() => undefined);
    }
  }

  private lost({ key, sequence, code }: FrameLoss): void {
    this.ports.metrics.counter('fidelis_frames_lost_total').inc();
    this.ports.logger.error(
      { key, sequence, code },
      'a frame is gone from its log: waiting for it to be produced again',
    );
  }

  private async follow(
    job: TrainJob,
    claim: RunClaim,
    child: ComputeChild<ToTrainer, FromTrainer>,
  ): Promise<TrainingResult> {
    const { artifacts, logger, predictions, config } = this.ports;
    const report = new ProgressReport(this.ports, job, claim);
    const silenceMs = config.FIDELIS_CHILD_SILENCE_SECONDS * 1_000;
    for await (const message of withSilenceLimit(child.messages, silenceMs, () => hangs(silenceMs))) {
      switch (message.type) {
        case 'started':
          logger.info(
            { producer: message.producer, fromStep: message.fromStep, backend: message.attempts },
            'training child ready',
          );
          break;
        case 'eager':
          logger.warn({ name: message.name, reason: message.reason }, 'runs without a graph');
          break;
        case 'progress':
          await report.add(message);
          break;
        case 'checkpoint':
          await claim.checkpointed(message.step, await artifacts.put(message.bytes));
          break;
        case 'predictions':
          await predictions.publish(message.request, message.frames);
          break;
        case 'completed': {
          const { type: _, weights, ...rest } = message;
          logger.info(
            {
              execution: rest.execution,
              imagesPerSecond: rest.imagesPerSecond,
              waitSeconds: rest.waitSeconds,
            },
            'training child done',
          );
          return { outcome: 'completed', weights: await artifacts.put(weights), ...rest };
        }
      }
    }
    throw new FidelisError(
      'TRAINING.CHILD_EXITED',
      'the training process ended without a result: see the log above',
    );
  }
}

/** All that the training process will load. */
function datasetsOf(job: TrainJob): readonly DatasetRef[] {
  return job.kind === 'student' ? [job.dataset, ...otherRefs(job.view)] : [job.dataset];
}

async function* sentFrames(frames: AsyncIterable<StoredFrame>): AsyncGenerator<SentFrame> {
  for await (const { bytes, storedAtMs } of frames) yield { bytes, storedAtMs };
}

/** Of the stream, for this attempt. A table is read whole, a sequence from the step after the checkpoint; teachers read none. */
function firstStep(job: TrainJob, { position }: RunClaim): number {
  return job.kind === 'student' && job.view.kind === 'sequence' ? position.checkpointStep + 1 : 0;
}

/** Distinct frames that earlier attempts trained on, which their workers counted. With a first checkpoint a whole table was. */
function framesCounted(job: TrainJob, { position }: RunClaim): number {
  if (job.kind !== 'student') return 0;
  if (job.view.kind === 'sequence') return Math.max(position.trainedStep, position.checkpointStep) + 1;
  return position.checkpoint === null ? 0 : job.stream.steps;
}

function hangs(silenceMs: number): FidelisError {
  return new FidelisError(
    'TRAINING.CHILD_EXITED',
    `the training process hangs: it said nothing for ${silenceMs / 1_000} s and was ended; if its steps take that long, raise FIDELIS_CHILD_SILENCE_SECONDS`,
  );
}

/** Of a training's log line. */
function figuresOf(
  progress: TrainerProgress,
): Omit<TrainerProgress, 'type' | 'framesConsumed' | 'framesTrained' | 'frameAges'> {
  const {
    type: _,
    framesConsumed: _consumed,
    framesTrained: _trained,
    frameAges: _ages,
    ...figures
  } = progress;
  return figures;
}

/** Where a diverged training can be taken up again, with a lower rate. */
function withLastCheckpoint(error: unknown, { position }: RunClaim): unknown {
  if (!FidelisError.is(error) || error.code !== 'TRAINING.DIVERGED') return error;
  const { checkpoint, checkpointStep } = position;
  const where =
    checkpoint === null
      ? 'there is no checkpoint before it'
      : `the last good checkpoint is that of step ${checkpointStep}, artifact ${checkpoint}`;
  return new FidelisError(error.code, `${error.message}; ${where}`, {
    details: { ...error.details, checkpoint, checkpointStep },
    cause: error,
  });
}

/** A training's progress to the bus, the run's position and Prometheus. */
class ProgressReport {
  private loggedAt = 0;
  private framesConsumed: number;
  private framesTrained: number;
  private waitSeconds = 0;

  constructor(
    private readonly ports: SessionPorts,
    private readonly job: TrainJob,
    private readonly claim: RunClaim,
  ) {
    this.framesConsumed = framesCounted(job, claim);
    this.framesTrained = this.framesConsumed;
  }

  async add(progress: TrainerProgress): Promise<void> {
    const { type: _, gradientNorm: _norm, frameAges: _ages, ...figures } = progress;
    const { runId, correlationId, epochs } = this.job;
    this.count(progress);
    const now = performance.now();
    if (now - this.loggedAt > LOG_EVERY_MS) {
      this.loggedAt = now;
      this.ports.logger.info(figuresOf(progress), 'training');
    }
    // The teacher paces itself by it.
    await this.claim.trained(progress.step - 1);
    await this.ports.events.publish(
      trainingEvents.progress,
      runId,
      { runId, token: this.claim.position.token, epochs, ...figures, at: new Date().toISOString() },
      { correlationId },
    );
  }

  private count(progress: TrainerProgress): void {
    const { metrics } = this.ports;
    const run = this.job.runId;
    for (const age of progress.frameAges) metrics.histogram('fidelis_frame_age_seconds').observe(age);
    // What is taken in once more, since a table is read whole by each attempt, is no distinct frame.
    const consumed = Math.max(this.framesConsumed, progress.framesConsumed);
    const trained = Math.max(this.framesTrained, progress.framesTrained);
    metrics.counter('fidelis_frames_consumed_total').inc(consumed - this.framesConsumed);
    metrics.counter('fidelis_frames_trained_total').inc(trained - this.framesTrained);
    metrics.counter('fidelis_student_wait_seconds_total').inc(progress.waitSeconds - this.waitSeconds);
    this.framesConsumed = consumed;
    this.framesTrained = trained;
    this.waitSeconds = progress.waitSeconds;
    metrics.gauge('fidelis_training_step').set({ run }, progress.step);
    if (progress.loss !== null) metrics.gauge('fidelis_training_loss').set({ run }, progress.loss);
    if (progress.imagesPerSecond !== null) {
      metrics.gauge('fidelis_training_images_per_second').set({ run }, progress.imagesPerSecond);
    }
  }
}
