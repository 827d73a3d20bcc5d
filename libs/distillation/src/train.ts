import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { FidelisError, type OptimizerSpec, type ScheduleSpec } from '@fidelis/contracts';
import { inputDimensions, type Batch, type BatchSource } from '@fidelis/data';
import type { Model } from '@fidelis/models';
import { learningRate } from './learning-rate.js';
import { lossNeeds, type Targets, type TrainingLoss } from './losses.js';
import type { TargetProvider } from './target-provider.js';
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
  readonly learningRate: number;
  readonly waitSeconds: number;
  readonly framesConsumed: number;
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
  /** After each step. `state` copies the parameters: call it only for a checkpoint. */
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
 * @throws FidelisError TRAINING.DIVERGED if a loss is not finite (the parameters before it are lost: go back to a checkpoint);
 *   whatever the targets or a callback throw
 */
export async function train(options: TrainOptions): Promise<TrainingOutcome> {
  const { model, optimizer, schedule, loss, batches, epochs, initial, targets, signal } = options;
  const needs = lossNeeds(loss);
  if (needs.teacher && targets === undefined) {
    throw new FidelisError('INTERNAL', "this loss needs the teacher's logits: give the training its targets");
  }
  const steps = epochs * batches.stepsPerEpoch;
  const trainStep = createTrainingStep(model, loss, optimizer);
  let parameters: Tensor1D = tf.tensor1d(initial.parameters);
  let velocity: Tensor1D = tf.tensor1d(initial.velocity);
  let lastLoss = initial.loss;
  try {
    for (let step = initial.step; step < steps; step++) {
      throwIfAborted(signal);
      const batch = batches.batch(step);
      const logits =
        needs.teacher && targets ? await abortable(targets.targets(step, batch), signal) : undefined;
      const rate = learningRate(schedule, optimizer.learningRate, step, steps);
      const next = tf.tidy((): [Tensor1D, Tensor1D, tf.Scalar] => {
        const inputs = uploadInputs(model, batch);
        const uploaded = uploadTargets(model, batch, needs.labels, logits);
        const outputs = trainStep({ parameters, velocity, inputs, targets: uploaded, rate: tf.scalar(rate) });
        return [outputs.parameters, outputs.velocity, outputs.loss];
      });
      tf.dispose([parameters, velocity]);
      [parameters, velocity] = next;
      const value = readScalar(next[2]);
      if (!Number.isFinite(value)) throw diverged(step, value, rate);
      lastLoss = value;
      const state = (): TrainingState => download(step + 1, parameters, velocity, value);
      const info = describe(options, { step, steps, rows: batch.ids.length, loss: value, rate });
      await options.onStep?.(info, state);
      if ((step + 1) % batches.stepsPerEpoch === 0) {
        await options.onEpoch?.({ ...info, epochsDone: info.epoch + 1 }, state);
      }
      await turnOfTheEventLoop();
    }
    const finalLoss = lastLoss ?? Number.NaN;
    return { ...download(Math.max(steps, initial.step), parameters, velocity, finalLoss), finalLoss };
  } finally {
    tf.dispose([parameters, velocity]);
  }
}

function describe(
  { batches, epochs, targets }: TrainOptions,
  done: { step: number; steps: number; rows: number; loss: number; rate: number },
): StepInfo {
  return {
    step: done.step + 1,
    steps: done.steps,
    epoch: Math.floor(done.step / batches.stepsPerEpoch),
    epochs,
    rows: done.rows,
    loss: done.loss,
    learningRate: done.rate,
    waitSeconds: targets?.waitSeconds ?? 0,
    framesConsumed: targets?.framesConsumed ?? 0,
  };
}

function uploadInputs({ inputShape }: Model, { ids, inputs }: Batch): tf.Tensor {
  return tf.tensor(inputs, [ids.length, ...inputDimensions(inputShape)]);
}

function uploadTargets(
  { classes }: Model,
  { ids, labels }: Batch,
  needsLabels: boolean,
  logits: Float32Array | undefined,
): Targets {
  const shape: [number, number] = [ids.length, classes];
  return {
    ...(needsLabels ? { labels: tf.tensor2d(oneHot(labels, classes), shape) } : {}),
    ...(logits === undefined ? {} : { teacherLogits: tf.tensor2d(logits, shape) }),
  };
}

function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => (rows[row * classes + label] = 1));
  return rows;
}

function readScalar(scalar: tf.Scalar): number {
  const [value = Number.NaN] = scalar.dataSync();
  scalar.dispose();
  return value;
}

/** Copies: what the backend hands out may be its own memory. */
function download(step: number, parameters: Tensor1D, velocity: Tensor1D, loss: number): TrainingState {
  return {
    step,
    parameters: parameters.dataSync<'float32'>().slice(),
    velocity: velocity.dataSync<'float32'>().slice(),
    loss,
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

function abortError({ reason }: AbortSignal): FidelisError {
  if (FidelisError.is(reason)) return reason;
  return new FidelisError('RUN.CANCELLED', 'the training was asked to stop', { cause: reason });
}

async function abortable<T>(waited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return waited;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([waited, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function diverged(step: number, loss: number, rate: number): FidelisError {
  return new FidelisError(
    'TRAINING.DIVERGED',
    `the loss is ${loss} at step ${step} (learning rate ${rate}): lower the learning rate, or look for inputs or teacher logits that are not finite`,
    { details: { step, loss: String(loss), learningRate: rate } },
  );
}

/** Messages, timers and sockets get through between two steps. */
function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
