import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { FidelisError, type OptimizerSpec, type ScheduleSpec } from '@fidelis/contracts';
import { inputDimensions, InputRoom, type Batch, type BatchSource } from '@fidelis/data';
import type { Model } from '@fidelis/models';
import { Interruption } from './interruption.js';
import { learningRate } from './learning-rate.js';
import { lossNeeds, type TrainingLoss } from './losses.js';
import { lossScalars } from './loss-warm-up.js';
import { optimizerScalars, slotCount } from './optimizer.js';
import { StateTensors } from './state-tensors.js';
import type { TargetProvider } from './target-provider.js';
import { EAGER, tensorNamed, type FunctionCompiler, type NamedTensors } from './tensor-function.js';
import type { TrainingState } from './training-state.js';
import { createTrainingStep } from './training-step.js';

export interface StepInfo {
  /** Steps done, of all. */
  readonly step: number;
  readonly steps: number;
  /** Of the step just done, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Of the batch. */
  readonly rows: number;
  readonly loss: number;
  /** L2, of the whole gradient, before it is clipped. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly waitSeconds: number;
  readonly framesConsumed: number;
  readonly framesTrained: number;
}

export interface EpochInfo extends StepInfo {
  /** Epochs done, of all. */
  readonly epochsDone: number;
}

export interface TrainOptions {
  readonly model: Model;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  readonly loss: TrainingLoss;
  readonly batches: BatchSource;
  readonly epochs: number;
  /** Goes on from its step. */
  readonly initial: TrainingState;
  /** Needed by every loss that asks for a teacher. */
  readonly targets?: TargetProvider;
  /** Makes a graph of the step. @default one operation after the other */
  readonly compiler?: FunctionCompiler;
  /** After each step. `state` copies the weights: call it only for a checkpoint or an evaluation. */
  readonly onStep?: (info: StepInfo, state: () => TrainingState) => void | Promise<void>;
  /** After each epoch, after its last `onStep`. */
  readonly onEpoch?: (info: EpochInfo, state: () => TrainingState) => void | Promise<void>;
  /** Stops between two steps, or while it waits for targets: the training throws the reason, or RUN.CANCELLED. */
  readonly signal?: AbortSignal;
}

export interface TrainingOutcome extends TrainingState {
  /** Of the last step. */
  readonly finalLoss: number;
}

/**
 * Trains from `initial` to the end. The result depends on the options and the backend alone, bit for bit: not on where a training was
 * cut, nor on how long its targets took. Other work of the process gets a turn after every step.
 *
 * @throws FidelisError TRAINING.DIVERGED if a loss, gradient or weight is not finite (the weights before it are lost: go back to a checkpoint);
 *   WEIGHTS.INVALID if `initial` is of another model or optimiser; whatever the targets or a callback throw
 */
export async function train(options: TrainOptions): Promise<TrainingOutcome> {
  const { model, optimizer, schedule, loss, batches, epochs, initial, targets } = options;
  const needs = lossNeeds(loss);
  if (needs.teacher && targets === undefined) {
    throw new FidelisError('INTERNAL', "this loss needs the teacher's logits: give the training its targets");
  }
  requireFitting(initial, model, optimizer);
  const { stepsPerEpoch } = batches;
  const steps = epochs * stepsPerEpoch;
  const trainStep = (options.compiler ?? EAGER).compile(
    `training step of ${model.architecture.name}`,
    createTrainingStep(model, loss, optimizer),
  );
  const current = new StateTensors(initial);
  const interruption = new Interruption(options.signal);
  const room = new InputRoom();
  let lastLoss = initial.loss;
  try {
    for (let step = initial.step; step < steps; step++) {
      interruption.throwIfInterrupted();
      const batch = batches.batch(step, room);
      const logits =
        needs.teacher && targets ? await interruption.wait(targets.targets(step, batch)) : undefined;
      const rate = learningRate(schedule, optimizer.learningRate, step, { steps, stepsPerEpoch });
      const outputs = tf.tidy(
        () =>
          trainStep.run({
            ...current.named,
            ...uploadBatch(model, batch, needs.labels, logits),
            ...uploadScalars({
              ...optimizerScalars(optimizer, rate, step),
              ...lossScalars(loss, step, { stepsPerEpoch }),
            }),
          }) as tf.NamedTensorMap,
      );
      current.advance(outputs);
      const figures = {
        loss: takeScalar(outputs, 'loss'),
        gradientNorm: takeScalar(outputs, 'gradientNorm'),
      };
      if (!Number.isFinite(figures.loss) || !Number.isFinite(figures.gradientNorm)) {
        throw diverged(step, rate, figures);
      }
      lastLoss = figures.loss;
      if (needs.teacher) targets?.trained(step, batch.ids);
      const state = (): TrainingState => {
        const reached = { step: step + 1, ...current.download(), loss: figures.loss };
        if (!reached.parameters.every(Number.isFinite)) throw diverged(step, rate, figures);
        return reached;
      };
      const info = describe(options, { step, steps, rows: batch.ids.length, rate, ...figures });
      await options.onStep?.(info, state);
      if ((step + 1) % stepsPerEpoch === 0) {
        await options.onEpoch?.({ ...info, epochsDone: info.epoch + 1 }, state);
      }
      await turnOfTheEventLoop();
    }
    const finalLoss = lastLoss ?? Number.NaN;
    return { step: Math.max(steps, initial.step), ...current.download(), loss: finalLoss, finalLoss };
  } finally {
    interruption.dispose();
    current.dispose();
    trainStep.dispose();
  }
}

/** @throws FidelisError WEIGHTS.INVALID */
function requireFitting(state: TrainingState, model: Model, optimizer: OptimizerSpec): void {
  const refuse = (problem: string): FidelisError =>
    new FidelisError('WEIGHTS.INVALID', `this training cannot go on from this state: ${problem}`);
  const count = slotCount(optimizer);
  if (state.slots.length !== count) {
    throw refuse(
      `${optimizer.kind} remembers ${count} values of each parameter, the state holds ${state.slots.length}: it is of another optimizer`,
    );
  }
  const { parameterCount, bufferCount } = model;
  if ([state.parameters, ...state.slots].some(({ length }) => length !== parameterCount)) {
    throw refuse(`${model.architecture.name} has ${parameterCount} parameters, the state others`);
  }
  if (state.buffers.length !== bufferCount) {
    throw refuse(`${model.architecture.name} has ${bufferCount} buffers, the state ${state.buffers.length}`);
  }
}

function describe(
  { batches, epochs, targets }: TrainOptions,
  done: { step: number; steps: number; rows: number; loss: number; gradientNorm: number; rate: number },
): StepInfo {
  return {
    step: done.step + 1,
    steps: done.steps,
    epoch: Math.floor(done.step / batches.stepsPerEpoch),
    epochs,
    rows: done.rows,
    loss: done.loss,
    gradientNorm: done.gradientNorm,
    learningRate: done.rate,
    waitSeconds: targets?.waitSeconds ?? 0,
    framesConsumed: targets?.framesConsumed ?? 0,
    framesTrained: targets?.framesTrained ?? 0,
  };
}

function uploadBatch(
  { inputShape, classes }: Model,
  { ids, inputs, labels }: Batch,
  needsLabels: boolean,
  logits: Float32Array | undefined,
): NamedTensors {
  const shape: [number, number] = [ids.length, classes];
  return {
    inputs: tf.tensor(inputs, [ids.length, ...inputDimensions(inputShape)]),
    ...(needsLabels ? { labels: tf.tensor2d(oneHot(labels, classes), shape) } : {}),
    ...(logits === undefined ? {} : { teacherLogits: tf.tensor2d(logits, shape) }),
  };
}

function uploadScalars(values: Readonly<Record<string, number>>): NamedTensors {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tf.scalar(value)]));
}

function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => (rows[row * classes + label] = 1));
  return rows;
}

function takeScalar(tensors: NamedTensors, name: string): number {
  const scalar = tensorNamed<Tensor>(tensors, name);
  const [value = Number.NaN] = scalar.dataSync();
  scalar.dispose();
  return value;
}

function diverged(
  step: number,
  learningRate: number,
  { loss, gradientNorm }: { readonly loss: number; readonly gradientNorm: number },
): FidelisError {
  const what = Number.isFinite(loss)
    ? Number.isFinite(gradientNorm)
      ? 'weights are no longer finite after'
      : `the gradient's norm is ${gradientNorm} at`
    : `the loss is ${loss} at`;
  return new FidelisError(
    'TRAINING.DIVERGED',
    `${what} step ${step} (learning rate ${learningRate}): lower the learning rate, clip the gradient (clipNorm), or look for inputs or teacher logits that are not finite`,
    { details: { step, loss: String(loss), gradientNorm: String(gradientNorm), learningRate } },
  );
}

/** Messages, timers and sockets get through between two steps. */
function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
