import { constants } from 'node:fs';
import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { ComputeChild } from '@fidelis/compute';
import { FidelisError } from '@fidelis/contracts';
import { encodeNpy } from '@fidelis/tables';
import { z } from 'zod';
import type { Invocation } from '../command-host.js';
import type { PredictOptions } from '../commands/predict.js';
import { whole } from '../render/figures.js';
import { YamlSource } from '../spec/yaml-source.js';
import { readInputs, type InputArray } from './input-array.js';
import type { FromPredictor, ToPredictor } from './predict-protocol.js';

/** The same from `src` and from `dist`: what is forked is always the build. */
const CHILD = new URL('../../dist/predict/predict-child.js', import.meta.url);
/** Work that is over sooner needs no bar. */
const SHOWN_AFTER_MS = 2_000;
const STOP_GRACE_MS = 2_000;

const mapSchema = z.record(z.string(), z.string().min(1));

/** Reads inputs and weights, computes in a process of its own, and writes the logits. */
export async function predict({ output, signal }: Invocation, options: PredictOptions): Promise<void> {
  const { hiddenUnits, norm, layout, classes } = options;
  const architecture = {
    name: options.arch,
    ...(hiddenUnits === undefined ? {} : { hiddenUnits: [...hiddenUnits] }),
    ...(norm === undefined ? {} : { norm }),
  };
  await requireFile(options.weights);
  const map = options.map === undefined ? {} : { map: await readMap(options.map) };
  const inputs = await readInputs(options.input, architecture, layout);
  const began = performance.now();
  const bars = output.bars();
  const show = (done: number): void => {
    if (performance.now() - began < SHOWN_AFTER_MS) return;
    const state = done < inputs.rows ? 'running' : 'done';
    bars?.show([{ label: 'predict', state, done, total: inputs.rows, unit: 'samples' }]);
  };
  const child = ComputeChild.spawn<ToPredictor, FromPredictor>(CHILD, { onStderrLine: () => undefined });
  const stop = (): void => void child.stop({ graceMs: STOP_GRACE_MS });
  signal.addEventListener('abort', stop, { once: true });
  try {
    await child.send({
      type: 'start',
      architecture,
      classes,
      dimensions: inputs.dimensions,
      weightsFile: options.weights,
      ...map,
      backend: options.backend,
    });
    const { logits, ready } = await exchange(child, inputs, classes, show);
    signal.throwIfAborted();
    await writeOutput(options.output, encodeNpy(logits, [inputs.rows, classes]));
    bars?.end();
    const document = {
      architecture,
      parameters: ready.parameters,
      samples: inputs.rows,
      classes,
      backend: ready.backend,
      seconds: (performance.now() - began) / 1_000,
      output: options.output,
    };
    output.result(
      document,
      () =>
        `${options.output}: logits of ${whole(inputs.rows)} samples, ${whole(classes)} classes (${options.arch}, ${whole(ready.parameters)} parameters, ${ready.backend})`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
    await child.stop({ graceMs: STOP_GRACE_MS });
  }
}

type Ready = Extract<FromPredictor, { type: 'ready' }>;

/** One batch at a time: the answer to one asks for the next. */
async function exchange(
  child: ComputeChild<ToPredictor, FromPredictor>,
  inputs: InputArray,
  classes: number,
  show: (done: number) => void,
): Promise<{ readonly logits: Float32Array; readonly ready: Ready }> {
  const logits = new Float32Array(inputs.rows * classes);
  let ready: Ready | undefined;
  let sent = 0;
  let received = 0;
  for await (const message of child.messages) {
    if (message.type === 'ready') ready = message;
    else {
      logits.set(message.values, received * classes);
      received += message.values.length / classes;
      show(received);
    }
    const to = Math.min(sent + (ready?.batchRows ?? 0), inputs.rows);
    if (sent < to) await child.send({ type: 'rows', inputs: inputs.slice(sent, to), rows: to - sent });
    else await child.send({ type: 'end' });
    sent = to;
  }
  if (ready === undefined || received < inputs.rows) {
    throw new FidelisError('INTERNAL', 'the compute process ended before all logits were there');
  }
  return { logits, ready };
}

async function requireFile(path: string): Promise<void> {
  const refused = (problem: string, cause?: unknown): FidelisError =>
    new FidelisError('REQUEST.INVALID', `${path}: ${problem}`, { details: { path }, cause });
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const advice = 'Check the path, the working directory and the permissions';
    throw refused(`there is no such file of weights, or it may not be read. ${advice}`, error);
  }
  if (!(await stat(path)).isFile()) throw refused('is no file. Give a .safetensors file of weights');
}

async function readMap(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new FidelisError('REQUEST.INVALID', `${path}: the map of names cannot be read. Check the path`, {
      details: { path },
      cause: error,
    });
  }
  const parsed = mapSchema.safeParse(YamlSource.parse(path, text).data ?? {});
  if (parsed.success) return parsed.data;
  throw new FidelisError(
    'REQUEST.INVALID',
    `${path}: a map has lines "our.name: their.name", and nothing else`,
    {
      details: { path },
    },
  );
}

async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FidelisError('REQUEST.INVALID', `${path}: the logits cannot be written there: ${reason}`, {
      details: { path },
      cause: error,
    });
  }
}
