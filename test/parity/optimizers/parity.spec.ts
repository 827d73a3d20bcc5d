import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Compiler, startBackend } from '@fidelis/compute';
import { architectureSchema, lossSchema, optimizerSchema, scheduleSchema } from '@fidelis/contracts';
import type { BatchSource } from '@fidelis/data';
import {
  learningRate,
  startingState,
  train,
  type FunctionCompiler,
  type TargetProvider,
  type TrainingOutcome,
} from '@fidelis/distillation';
import { createModel, decodeSafetensors, exportTorchWeights, importTorchWeights } from '@fidelis/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { uniform } from '../models/formula.js';
import { distance, torchFile, type GoldenCase } from '../models/golden.js';
import { nativeProblemOnDevice, toleranceOnDevice } from '../device.js';

const count = z.int().positive();
const goldenSteps = decodeSafetensors(readFileSync(new URL('golden/steps.safetensors', import.meta.url)));
const cases = z
  .array(
    z.object({
      name: z.string(),
      optimizer: z.string(),
      spec: optimizerSchema,
      architecture: architectureSchema,
      inputShape: z.object({ height: count, width: count, channels: count }),
      classes: count,
      rows: count,
      tensors: z.record(z.string(), z.array(count)),
    }),
  )
  .parse(JSON.parse(goldenSteps.metadata['cases'] ?? ''));
const loss = lossSchema.parse(JSON.parse(goldenSteps.metadata['loss'] ?? ''));
const steps = Number(goldenSteps.metadata['steps']);
const schedules = z
  .array(
    z.object({
      schedule: scheduleSchema,
      base: z.number(),
      steps: count,
      stepsPerEpoch: count,
      rates: z.array(z.number()),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('golden/schedules.json', import.meta.url), 'utf8')));

/** Of each tensor's norm, in float32. */
const TOLERANCE = toleranceOnDevice(1e-4);

const nativeProblem = await nativeProblemOnDevice();

type Case = (typeof cases)[number];

function goldenOf({ name, optimizer, ...described }: Case): GoldenCase {
  const prefix = `${name}/${optimizer}/`;
  const own = goldenSteps.tensors.filter((tensor) => tensor.name.startsWith(prefix));
  const values = new Map(own.map((tensor) => [tensor.name.slice(prefix.length), tensor.values]));
  return { ...described, smooth: 0, gradientMode: 'train', name, values };
}

function batchesOf({ name, inputShape, classes, rows }: Case): BatchSource {
  const rowLength = inputShape.height * inputShape.width * inputShape.channels;
  return {
    stepsPerEpoch: steps,
    batch: (step) => ({
      ids: Uint32Array.from({ length: rows }, (_, row) => row),
      inputs: uniform(`${name}:images:${step}`, rows * rowLength),
      labels: Int32Array.from({ length: rows }, (_, row) => (row + step) % classes),
    }),
  };
}

function teacherOf({ name, classes, rows }: Case): TargetProvider {
  return {
    framesConsumed: 0,
    framesTrained: 0,
    trained: () => undefined,
    waitSeconds: 0,
    targets: (step) => Promise.resolve(uniform(`${name}:teacher:${step}`, rows * classes, 3)),
  };
}

describe.skipIf(nativeProblem !== undefined)(
  `ten steps${nativeProblem === undefined ? '' : ` (${nativeProblem})`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'fidelis-graphs-'));
    beforeAll(() => startBackend({ preference: 'native' }));
    afterAll(() => rmSync(directory, { recursive: true }));

    async function trained(
      described: Case,
      compiler?: FunctionCompiler,
    ): Promise<{ outcome: TrainingOutcome; losses: number[]; norms: number[]; file: Uint8Array }> {
      const model = createModel(described.architecture, described.inputShape, described.classes);
      const weights = importTorchWeights(model, torchFile(goldenOf(described)));
      const losses: number[] = [];
      const norms: number[] = [];
      const outcome = await train({
        model,
        optimizer: described.spec,
        schedule: { kind: 'constant', floor: 0 },
        loss,
        batches: batchesOf(described),
        targets: teacherOf(described),
        epochs: 1,
        initial: startingState(model, weights, described.spec),
        onStep: (info) => {
          losses.push(info.loss);
          norms.push(info.gradientNorm);
        },
        ...(compiler === undefined ? {} : { compiler }),
      });
      return { outcome, losses, norms, file: exportTorchWeights(model, outcome) };
    }

    for (const execution of ['eager', 'graph'] as const) {
      it.each(cases)(`of $optimizer on $name end where PyTorch's do (${execution})`, async (described) => {
        const golden = goldenOf(described);
        const reasons: string[] = [];
        const compiler = new Compiler({ directory, onEager: (_, reason) => void reasons.push(reason) });
        const { losses, norms, file } = await trained(
          described,
          ...(execution === 'graph' ? [compiler] : []),
        );
        expect(reasons).toEqual([]);
        losses.forEach((value, i) => {
          expect(value / (golden.values.get('losses')?.[i] ?? 0) - 1).toBeCloseTo(0, 5);
          expect(norms[i] ?? 0).toBeCloseTo(golden.values.get('norms')?.[i] ?? Number.NaN, 2);
        });
        const far = decodeSafetensors(file)
          .tensors.map(({ name, values }) => {
            const kind =
              golden.values.has(`parameter/${name}/whole`) || golden.values.has(`parameter/${name}/norm`);
            return [name, distance(golden, `${kind ? 'parameter' : 'buffer'}/${name}`, values)] as const;
          })
          .filter(([, off]) => !(off <= TOLERANCE));
        expect(far).toEqual([]);
      });
    }
  },
);

describe('learning rates', () => {
  it.each(schedules)(
    "are those of PyTorch's schedulers: $schedule",
    ({ schedule, base, rates, ...length }) => {
      rates.forEach((rate, step) => {
        expect(Math.abs(learningRate(schedule, base, step, length) - rate)).toBeLessThan(1e-9);
      });
    },
  );
});
