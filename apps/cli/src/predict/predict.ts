import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { ComputeChild } from '@fidelis/compute';
import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';
import type { Invocation } from '../command-host.js';
import type { PredictOptions } from '../commands/predict.js';
import { whole } from '../render/figures.js';
import { YamlSource } from '../spec/yaml-source.js';
import { readInputs, type InputArray, type InputBatch } from './input-array.js';
import { OutputArray } from './output-array.js';
import type { FromPredictor, ToPredictor } from './predict-protocol.js';

/** The same from `src` and from `dist`: what is forked is always the build. */
const CHILD = new URL('../../dist/predict/predict-child.js', import.meta.url);
/** Work that is over sooner needs no bar. */
const SHOWN_AFTER_MS = 2_000;
const STOP_GRACE_MS = 2_000;

const mapSchema = z.record(z.string(), z.string().min(1));

/** Reads inputs and weights, computes in a process of its own, and writes the logits. */
export async function predict({ host, output, signal }: Invocation, options: PredictOptions): Promise<void> {
  const { hiddenUnits, norm, layout, classes } = options;
  const architecture = {
    name: options.arch,
    ...(hiddenUnits === undefined ? {} : { hiddenUnits: [...hiddenUnits] }),
    ...(norm === undefined ? {} : { norm }),
  };
  await requireFile(options.weights);
  const map = options.map === undefined ? {} : { map: await readMap(options.map) };
  const inputs = await readInputs(options.input, architecture, layout);
  const logits = await OutputArray.create(options.output, [inputs.rows, classes], options.input);
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
    signal.throwIfAborted();
    await child.send({
      type: 'start',
      architecture,
      classes,
      dimensions: inputs.dimensions,
      weightsFile: options.weights,
      ...map,
      backend: options.backend,
      ...(options.eager === true ? {} : { graphs: host.config.graphsDir }),
    });
    const { ready, eagerReason } = await exchange(
      child,
      { inputs, classes, signal },
      async (values, done) => {
        await logits.write(values);
        show(done);
      },
    );
    signal.throwIfAborted();
    await logits.complete();
    const byGraph = options.eager !== true && eagerReason === undefined;
    if (eagerReason !== undefined && ready.backend === 'tensorflow') {
      output.message(`the forward pass ran one operation after the other: ${eagerReason}`);
    }
    bars?.end();
    const document = {
      architecture,
      parameters: ready.parameters,
      samples: inputs.rows,
      classes,
      backend: ready.backend,
      execution: byGraph ? 'graph' : 'eager',
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
    bars?.end();
    await child.stop({ graceMs: STOP_GRACE_MS });
    await logits.discard();
  }
}

interface Exchanged {
  readonly ready: Extract<FromPredictor, { type: 'ready' }>;
  readonly eagerReason: string | undefined;
}

/** While the child computes one batch, the next is read and waits: there are two at a time, however many there are in all. */
async function exchange(
  child: ComputeChild<ToPredictor, FromPredictor>,
  { inputs, classes, signal }: { inputs: InputArray; classes: number; signal: AbortSignal },
  take: (values: Float32Array, done: number) => Promise<void>,
): Promise<Exchanged> {
  let ready: Exchanged['ready'] | undefined;
  let batches: AsyncGenerator<InputBatch, undefined> | undefined;
  let eagerReason: string | undefined;
  let received = 0;
  const sendNext = async (): Promise<void> => {
    const next = await batches?.next();
    if (next?.done === false) await child.send({ type: 'rows', ...next.value });
  };
  try {
    for await (const message of child.messages) {
      if (message.type === 'ready') {
        ready = message;
        batches = inputs.batches(message.batchRows);
        await sendNext();
      } else {
        ({ eagerReason } = message);
        received += message.values.length / classes;
        await take(message.values, received);
      }
      if (received < inputs.rows) await sendNext();
      else await child.send({ type: 'end' });
    }
  } finally {
    await batches?.return(undefined);
  }
  signal.throwIfAborted();
  if (ready === undefined || received < inputs.rows) {
    throw new FidelisError('INTERNAL', 'the compute process ended before all logits were there');
  }
  return { ready, eagerReason };
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
