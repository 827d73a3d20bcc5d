import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
import { Compiler, eagerFunction, startBackend } from '@fidelis/compute';
import { architectureSchema, type OptimizerSpec } from '@fidelis/contracts';
import { createTrainingStep, initialState, optimizerScalars, tensorNamed } from '@fidelis/distillation';
import { createModel } from '@fidelis/models';
import { z } from 'zod';
import type { Answer } from './measured-process.js';

/** Distillation steps of one model, as often as it is told to: see measured-process.ts. */

const requestSchema = z.object({
  model: z.string(),
  input: z.tuple([z.int(), z.int(), z.int()]),
  classes: z.int(),
  batch: z.int(),
  threads: z.int(),
  graphs: z.string(),
  mode: z.enum(['compiled', 'eager', 'wasm']),
});

const OPTIMIZER: OptimizerSpec = {
  kind: 'sgd',
  learningRate: 0.01,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 1e-4,
};

function say(answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function residentBytes(field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'));
  return Number(line?.[1] ?? 0) * 1_024;
}

const request = requestSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const { batch, classes, threads, mode } = request;
const [height, width, channels] = request.input;

try {
  await startBackend({ preference: mode === 'wasm' ? 'wasm' : 'native', threads });
} catch (error) {
  say({ unavailable: String(error) });
  process.exit();
}
say({ idleBytes: residentBytes('VmRSS') });

const architecture = architectureSchema.parse({ name: request.model });
const model = createModel(architecture, { height, width, channels }, classes);
const body = createTrainingStep(model, { kind: 'kd', temperature: 4, alpha: 0 }, OPTIMIZER);
const reasons: string[] = [];
const compiler = new Compiler({
  directory: request.graphs,
  onEager: (_name, reason) => reasons.push(reason),
});
const step = mode === 'compiled' ? compiler.compile('step', body) : eagerFunction(body);

const inputs = Float32Array.from({ length: batch * height * width * channels }, (_, i) => Math.sin(i * 0.37));
const teacherLogits = Float32Array.from({ length: batch * classes }, (_, i) => 3 * Math.cos(i * 1.7));
const initial = initialState(model, 0, OPTIMIZER);
let state: tf.NamedTensorMap = {
  parameters: tf.tensor1d(initial.parameters),
  ...(model.bufferCount > 0 ? { buffers: tf.tensor1d(initial.buffers) } : {}),
  slot0: tf.zeros([model.parameterCount]),
};
let done = 0;

/** As the training loop does it: the batch is uploaded, the loss is read. */
function runStep(): void {
  const outputs = tf.tidy(
    () =>
      step.run({
        ...state,
        inputs: tf.tensor4d(inputs, [batch, height, width, channels]),
        teacherLogits: tf.tensor2d(teacherLogits, [batch, classes]),
        rate: tf.scalar(optimizerScalars(OPTIMIZER, OPTIMIZER.learningRate, done)['rate'] ?? 0),
      }) as tf.NamedTensorMap,
  );
  const [loss = NaN] = tensorNamed(outputs, 'loss').dataSync();
  if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss} after ${done} steps`);
  tf.dispose(state);
  const { loss: lossTensor, gradientNorm, ...next } = outputs;
  tf.dispose([lossTensor, gradientNorm]);
  state = next;
  done += 1;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [order, count] = line.split(' ');
  if (order === 'peak') {
    say({ peakBytes: residentBytes('VmHWM') });
    continue;
  }
  try {
    const began = performance.now();
    for (let i = 0; i < Number(count); i++) runStep();
    const [reason] = reasons;
    say(reason === undefined ? { seconds: (performance.now() - began) / 1_000 } : { unavailable: reason });
  } catch (error) {
    say({ unavailable: String(error).slice(0, 160) });
  }
}
