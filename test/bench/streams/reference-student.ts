import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactStore, connectBus, LogitLog } from '@fidelis/bus';
import { Compiler, computeClock, startBackend, type ComputeClock } from '@fidelis/compute';
import { decodeFrame, throughCodec } from '@fidelis/contracts';
import { createSequenceView, loadDataset, type Batch } from '@fidelis/data';
import {
  encodeCheckpoint,
  Predictor,
  startingState,
  train,
  type TargetProvider,
} from '@fidelis/distillation';
import { combineMembers, createModel, decodeWeights, encodeWeights, initialWeights } from '@fidelis/models';
import { referenceRequestSchema, type ReferenceAnswer, type ReferenceRequest } from './reference-protocol.js';

/**
 * One student in one process: with its teacher's logits in memory before it starts, or with the teacher beside it. It trains and writes its
 * checkpoints as a worker's training process does, and verifies nothing, since nothing can differ.
 */

async function measure(asked: ReferenceRequest, graphs: string): Promise<ReferenceAnswer> {
  const { device } = await startBackend({ preference: 'native', threads: 1 });
  const dataset = await loadDataset(asked.view.dataset.name);
  const view = createSequenceView(dataset, asked.view);
  const model = createModel(asked.architecture, dataset.inputShape, dataset.classes);
  const compiler = new Compiler({ directory: graphs, onEager: (name, reason) => fail(`${name}: ${reason}`) });
  const targets =
    asked.mode === 'no-teacher'
      ? await preloaded(asked)
      : await beside(asked, model, new Predictor(model, compiler), computeClock(device));
  let warmAt = performance.now();
  let lastAt = warmAt;
  let usedBefore = process.cpuUsage();
  let images = 0;
  const result = await train({
    model,
    optimizer: asked.optimizer,
    schedule: asked.schedule,
    loss: asked.loss,
    batches: view,
    epochs: asked.epochs,
    initial: startingState(model, initialWeights(model, asked.seed), asked.optimizer),
    targets,
    compiler,
    onStep: ({ step, rows }) => {
      lastAt = performance.now();
      if (step > asked.warmSteps) {
        images += rows;
        return;
      }
      warmAt = lastAt;
      usedBefore = process.cpuUsage();
    },
    onEpoch: (_, state) => {
      writeFileSync(
        join(graphs, 'checkpoint'),
        encodeCheckpoint(model, state(), {}, { recipe: 'reference' }),
      );
    },
  });
  const used = process.cpuUsage(usedBefore);
  return {
    processorSecondsPerImage: (used.user + used.system) / 1e6 / images,
    imagesPerSecond: images / ((lastAt - warmAt) / 1_000),
    teacherSeconds: targets.teacherSeconds,
    peakBytes: peakBytes(),
    weightsDigest: createHash('sha256').update(encodeWeights(model, result)).digest('hex'),
  };
}

function fail(reason: string): never {
  throw new Error(`runs without a graph, which is not what is to be measured: ${reason}`);
}

interface ReferenceTargets extends TargetProvider {
  readonly teacherSeconds: number;
}

const ACCOUNT = { framesConsumed: 0, framesTrained: 0, waitSeconds: 0, trained: (): void => undefined };

/** Reads the whole stream before the first step. */
async function preloaded({ natsUrl, streamKey, parts, steps }: ReferenceRequest): Promise<ReferenceTargets> {
  const connection = await connectBus({ servers: natsUrl, name: 'bench-reference' });
  const logits: Float32Array[] = [];
  const stored = new LogitLog(connection).read(streamKey, { parts, fromStep: 0, toStep: steps });
  for await (const { bytes } of stored) {
    const frame = decodeFrame(bytes);
    const { rows, members, classes, part } = frame;
    const combined = combineMembers(frame.values, rows, members, classes);
    const before = part === 0 ? new Float32Array() : (logits[frame.step] ?? new Float32Array());
    const all = new Float32Array(before.length + combined.length);
    all.set(before);
    all.set(combined, before.length);
    logits[frame.step] = all;
  }
  await connection.close();
  return {
    ...ACCOUNT,
    teacherSeconds: 0,
    targets: (step) => {
      const found = logits[step];
      return found === undefined
        ? Promise.reject(new Error(`step ${step} was not stored`))
        : Promise.resolve(found);
    },
  };
}

/** Scores each batch when it is asked for, and rounds as the stream's codec does. */
async function beside(
  { natsUrl, teacherWeights, codec }: ReferenceRequest,
  model: ReturnType<typeof createModel>,
  predictor: Predictor,
  clock: ComputeClock,
): Promise<ReferenceTargets> {
  const connection = await connectBus({ servers: natsUrl, name: 'bench-reference' });
  const weights = decodeWeights(model, await new ArtifactStore(connection).get(teacherWeights));
  await connection.close();
  const targets = {
    ...ACCOUNT,
    teacherSeconds: 0,
    targets(_step: number, { inputs, ids }: Batch): Promise<Float32Array> {
      const began = clock();
      const logits = throughCodec(predictor.predict(weights, inputs, ids.length), codec);
      targets.teacherSeconds += clock() - began;
      return Promise.resolve(logits);
    },
  };
  return targets;
}

function peakBytes(): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1_024;
}

const request = referenceRequestSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const graphs = mkdtempSync(join(tmpdir(), 'fidelis-bench-'));
try {
  process.stdout.write(`${JSON.stringify(await measure(request, graphs))}\n`);
} finally {
  rmSync(graphs, { recursive: true, force: true });
}
