import * as tf from '@tensorflow/tfjs-core';
import { FidelisError } from '@fidelis/contracts';
import { inputDimensions, InputRoom, type BatchSource } from '@fidelis/data';
import { unflatten, unflattenBuffers, type Model, type ModelWeights } from '@fidelis/models';
import { EAGER, tensorNamed, type FunctionCompiler, type TensorFunction } from './tensor-function.js';

/** Below this the published code rescales no learning rate (`max(0.05 (1 − λ), 1e-6)`: paper.md §1.3). */
const LEAST_RESCALED_RATE = 1e-6;

/**
 * λ·θ_teacher + (1−λ)·θ_random for every parameter and buffer, in float64 and rounded once (paper §6.2). λ = 0 and λ = 1 give the bits of the
 * one or the other.
 *
 * @param lambda weight of the teacher, 0…1; the published code's `loc_param` is 1 − λ
 * @throws FidelisError SPEC.INVALID for another λ; MODEL.MISMATCH if the two are not weights of one architecture
 */
export function interpolateWeights(
  teacher: ModelWeights,
  random: ModelWeights,
  lambda: number,
): ModelWeights {
  if (!(lambda >= 0 && lambda <= 1)) {
    throw new FidelisError('SPEC.INVALID', `lambda: ${lambda} is not between 0 (random) and 1 (the teacher)`);
  }
  return {
    parameters: interpolate('parameters', teacher.parameters, random.parameters, lambda),
    buffers: interpolate('buffers', teacher.buffers, random.buffers, lambda),
  };
}

/** @returns rate · (1−λ), but not below 1e-6: for a student that starts near its teacher, as the published code has it */
export function rescaledLearningRate(rate: number, lambda: number): number {
  return Math.max(rate * (1 - lambda), LEAST_RESCALED_RATE);
}

/**
 * The same parameters with running statistics that belong to them: one forward pass in train mode over all batches of one epoch, without labels
 * and without a step. Interpolated statistics are those of no network. A model without buffers is given back as it is.
 */
export async function refreshStatistics(
  model: Model,
  weights: ModelWeights,
  batches: BatchSource,
  compiler: FunctionCompiler = EAGER,
): Promise<ModelWeights> {
  if (model.bufferCount === 0) return weights;
  const pass = compiler.compile(`statistics of ${model.architecture.name}`, statisticsPass(model));
  const parameters = tf.tensor1d(weights.parameters);
  let buffers = tf.tensor1d(weights.buffers);
  const room = new InputRoom();
  try {
    for (let step = 0; step < batches.stepsPerEpoch; step++) {
      const { ids, inputs } = batches.batch(step, room);
      const outputs = tf.tidy(
        () =>
          pass.run({
            parameters,
            buffers,
            inputs: tf.tensor(inputs, [ids.length, ...inputDimensions(model.inputShape)]),
          }) as tf.NamedTensorMap,
      );
      buffers.dispose();
      buffers = tensorNamed(outputs, 'buffers');
      // Other work of the process gets a turn.
      await new Promise(setImmediate);
    }
    return { parameters: weights.parameters, buffers: buffers.dataSync<'float32'>().slice() };
  } finally {
    tf.dispose([parameters, buffers]);
    pass.dispose();
  }
}

function interpolate(
  what: string,
  teacher: Float32Array,
  random: Float32Array,
  lambda: number,
): Float32Array {
  if (teacher.length !== random.length) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      `weights of different architectures cannot be interpolated: the teacher has ${teacher.length} ${what}, the student ${random.length}`,
    );
  }
  // 0 · ∞ would be NaN, and −0 + 0 another bit: at its ends an interpolation takes nothing of the other.
  if (lambda === 0) return random.slice();
  if (lambda === 1) return teacher.slice();
  return Float32Array.from(teacher, (value, i) => lambda * value + (1 - lambda) * (random[i] ?? NaN));
}

function statisticsPass(model: Model): TensorFunction {
  return (given) =>
    tf.tidy(() => {
      const forward = model.forward(
        {
          parameters: unflatten(model, tensorNamed(given, 'parameters')),
          buffers: unflattenBuffers(model, tensorNamed(given, 'buffers')),
          mode: 'train',
        },
        tensorNamed(given, 'inputs'),
      );
      const flat = forward.buffers.map((buffer) => tf.reshape<tf.Rank.R1>(buffer, [-1]));
      return { buffers: tf.concat(flat) };
    });
}
