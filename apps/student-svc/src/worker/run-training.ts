import { createHash } from 'node:crypto';
import {
  canonicalJson,
  decodeFrame,
  FidelisError,
  type Execution,
  type ProducerFingerprint,
  type StudentJob,
  type TrainJob,
} from '@fidelis/contracts';
import {
  batchesOf,
  createSequenceView,
  createTableView,
  loadDatasetOf,
  loadOthers,
  teacherBatches,
  type BatchSource,
  type Dataset,
} from '@fidelis/data';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  Predictor,
  SequenceTargets,
  startingState,
  TableTargets,
  train,
  type FunctionCompiler,
  type TrainingState,
} from '@fidelis/distillation';
import { createModel, encodeWeights, type Model } from '@fidelis/models';
import { baseLearningRate, firstWeights } from './first-weights.js';
import { FrameAges } from './frame-ages.js';
import { frameCounts, framesNeeded } from './frame-counts.js';
import { ProgressClock } from './progress-clock.js';
import { requireOwnStream } from './own-stream.js';
import { SetPredictions } from './set-predictions.js';
import type { FromTrainer, ToTrainer } from './trainer-protocol.js';

export interface TrainingProcess {
  readonly start: Extract<ToTrainer, { type: 'start' }>;
  readonly producer: ProducerFingerprint;
  /** What was tried to get the backend, for the log. */
  readonly attempts: readonly string[];
  /** Makes graphs of what runs often. */
  readonly compiler: FunctionCompiler;
  /** How the steps have run so far. */
  readonly execution: () => Execution;
  /** Aborted when the training is to end, which it does after the step in hand. */
  readonly stopping: AbortSignal;
  readonly inbox: AsyncIterator<ToTrainer>;
  readonly send: (message: FromTrainer) => Promise<void>;
}

/** A student's frames, checked against its own view as they come in. */
type Targets = TableTargets | SequenceTargets;

/** The training of a job, from what the worker sends to what it is told; on the backend that was started. */
export async function runTraining(process: TrainingProcess): Promise<void> {
  const { start, producer, attempts, compiler, send } = process;
  const { job } = start;
  const dataset = await loadDatasetOf(job.dataset);
  if (job.kind === 'student') requireOwnStream(job, dataset);
  const model = createModel(job.architecture, dataset.inputShape, job.classes);
  const recipe = recipeOf(job);
  const resumed =
    start.checkpoint === null ? undefined : resumedState(model, start.checkpoint, recipe, process);
  const { batches, targets } =
    job.kind === 'student'
      ? await studentInputs(job, dataset, resumed?.step ?? 0)
      : { batches: teacherBatches(dataset, job), targets: undefined };
  const { teacherWeights } = start;
  const initial =
    resumed ??
    startingState(
      model,
      await firstWeights(job, model, { teacherWeights, batches, compiler }),
      job.optimizer,
    );
  await send({ type: 'started', producer, fromStep: initial.step, attempts });

  const ages = new FrameAges();
  const clock = new ProgressClock(
    job,
    { steps: batches.stepsPerEpoch * job.epochs, fromStep: initial.step },
    { targets, ages },
    send,
  );
  if (targets !== undefined) void receive(process.inbox, targets, ages);
  const evaluation =
    job.kind === 'student'
      ? new SetPredictions(job, model, new Predictor(model, compiler), dataset, send, () =>
          clock.reportIfDue(),
        )
      : undefined;
  const began = performance.now();
  clock.start();
  const result = await train({
    model,
    optimizer: { ...job.optimizer, learningRate: baseLearningRate(job) },
    schedule: job.schedule,
    loss: job.kind === 'student' ? job.loss : { kind: 'labels' },
    batches,
    epochs: job.epochs,
    initial,
    ...(targets === undefined ? {} : { targets }),
    compiler,
    signal: process.stopping,
    onStep: async (info, state) => {
      ages.trained(info.step - 1);
      await clock.step(info);
      if (info.step < info.steps) await evaluation?.afterStep(info, state);
    },
    onEpoch: async ({ epochsDone, step }, state) => {
      await send({
        type: 'checkpoint',
        step: step - 1,
        bytes: encodeCheckpoint(
          model,
          state(),
          { runId: job.runId, producer: canonicalJson(producer) },
          { recipe },
        ),
      });
      // The last epoch's student is the finished one, which is evaluated on every set.
      if (epochsDone < job.epochs) await evaluation?.during(epochsDone, step, state);
    },
  }).finally(() => clock.stop());
  const seconds = (performance.now() - began) / 1_000;
  await clock.report();
  await evaluation?.afterwards(result.step, result);
  await send({
    type: 'completed',
    // Nothing of the run goes into the blob: equal weights have equal digests.
    weights: encodeWeights(model, result),
    steps: result.step,
    finalLoss: result.finalLoss,
    seconds,
    imagesPerSecond: clock.overallRate(seconds),
    ...frameCounts(targets),
    framesNeeded: framesNeeded(job),
    producer,
    execution: process.execution(),
  });
}

/** Names all that decides the weights, besides the producer: a checkpoint of another job is none of this one. */
function recipeOf(job: TrainJob): string {
  const { runId: _run, correlationId: _correlation, ...recipe } = job;
  if (recipe.kind === 'teacher') return digestOf(recipe);
  // The teacher's view is only for errors: what is trained on is the job's own.
  const { view: _view, ...stream } = recipe.stream;
  return digestOf({ ...recipe, stream });
}

function digestOf(recipe: object): string {
  return createHash('sha256').update(canonicalJson(recipe)).digest('hex');
}

/** @throws FidelisError WEIGHTS.INVALID; TRAINING.PRODUCER_CHANGED */
function resumedState(
  model: Model,
  checkpoint: Uint8Array,
  recipe: string,
  { producer, start }: TrainingProcess,
): TrainingState {
  const { state, meta } = decodeCheckpoint(model, checkpoint, { recipe });
  const [before, now] = [meta['producer'], canonicalJson(producer)];
  // One of before has none.
  if (before === undefined || before === now || start.allowProducerChange) return state;
  throw new FidelisError(
    'TRAINING.PRODUCER_CHANGED',
    `the checkpoint of step ${state.step - 1} was computed by ${before}, and this worker computes by ${now}: what comes of both is the result of neither. ` +
      'Give the run a worker like the first one, or allow it with FIDELIS_ALLOW_PRODUCER_CHANGE=true',
    { details: { step: state.step - 1, checkpoint: before, worker: now } },
  );
}

async function studentInputs(
  job: StudentJob,
  dataset: Dataset,
  fromStep: number,
): Promise<{ batches: BatchSource; targets: Targets }> {
  if (job.view.kind === 'table') {
    const view = createTableView(dataset, job.view);
    const batches = batchesOf(view, { seed: job.seed, batchSize: job.batchSize });
    const targets = new TableTargets(view, job.stream);
    // What the attempts before this one trained on.
    if (fromStep >= batches.stepsPerEpoch) targets.trained(0, view.ids);
    else for (let step = 0; step < fromStep; step++) targets.trained(step, batches.batch(step).ids);
    return { batches, targets };
  }
  const view = createSequenceView(dataset, job.view, await loadOthers(job.view));
  return { batches: view, targets: new SequenceTargets(view, job.stream, { fromStep }) };
}

/** Takes in frames for as long as they come; what is wrong with one ends the training, when it asks for its targets. */
async function receive(inbox: AsyncIterator<ToTrainer>, targets: Targets, ages: FrameAges): Promise<void> {
  try {
    for (let next = await inbox.next(); next.done !== true; next = await inbox.next()) {
      if (next.value.type === 'stream-failed') throw FidelisError.fromWire(next.value.error);
      if (next.value.type !== 'frames') continue;
      for (const { bytes, storedAtMs } of next.value.frames) {
        const frame = decodeFrame(bytes);
        // The rows of a table are trained on again and again: only a sequence's have an age.
        if (targets instanceof SequenceTargets) ages.arrived(frame.step, storedAtMs);
        await targets.accept(frame);
      }
    }
  } catch (error) {
    targets.fail(FidelisError.from(error));
  }
}
