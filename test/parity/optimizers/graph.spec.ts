import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Compiler, startBackend } from '@fidelis/compute';
import { lossSchema, optimizerSchema } from '@fidelis/contracts';
import { startingState, train, type FunctionCompiler, type TrainingOutcome } from '@fidelis/distillation';
import {
  createModel,
  decodeSafetensors,
  exportTorchWeights,
  importTorchWeights,
  type Model,
  type ModelWeights,
} from '@fidelis/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniform } from '../models/formula.js';
import { inputsOf, readGolden, relativeDistance, torchFile, type GoldenCase } from '../models/golden.js';
import { nativeProblemOnDevice, toleranceOnDevice } from '../device.js';

const nativeProblem = await nativeProblemOnDevice();

const loss = lossSchema.parse({ kind: 'kd', temperature: 4, alpha: 0.3 });
const optimizer = optimizerSchema.parse({ learningRate: 0.002 });
const TWENTY_STEPS = ['lenet5', 'mlp', 'preresnet20'];

function tensorsOf(model: Model, weights: ModelWeights): Map<string, Float32Array> {
  const { tensors } = decodeSafetensors(exportTorchWeights(model, weights));
  return new Map(tensors.map(({ name, values }) => [name, values]));
}

/** Tensors that are further apart than `tolerance` of their norm, with their distance. */
function apart(model: Model, a: ModelWeights, b: ModelWeights, tolerance: number): [string, number][] {
  const others = tensorsOf(model, b);
  return [...tensorsOf(model, a)]
    .map(([name, values]): [string, number] => [name, relativeDistance(values, others.get(name))])
    .filter(([, distance]) => !(distance <= tolerance));
}

describe.skipIf(nativeProblem !== undefined)(
  `a step as a graph${nativeProblem === undefined ? '' : ` (${nativeProblem})`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'fidelis-graphs-'));
    beforeAll(() => startBackend({ preference: 'native' }));
    afterAll(() => rmSync(directory, { recursive: true }));

    async function trained(
      golden: GoldenCase,
      model: Model,
      steps: number,
      compiler?: FunctionCompiler,
    ): Promise<TrainingOutcome> {
      const { name, rows, classes } = golden;
      const inputs = inputsOf(golden);
      const rowLength = inputs.length / rows;
      // Each step sees the rows in another order.
      const turned = (step: number): Float32Array => {
        const at = (step % rows) * rowLength;
        return Float32Array.of(...inputs.subarray(at), ...inputs.subarray(0, at));
      };
      return train({
        model,
        optimizer,
        schedule: { kind: 'constant', floor: 0 },
        loss,
        batches: {
          stepsPerEpoch: steps,
          batch: (step) => ({
            ids: Uint32Array.from({ length: rows }, (_, row) => row),
            inputs: turned(step),
            labels: Int32Array.from({ length: rows }, (_, row) => (row + step) % classes),
          }),
        },
        targets: {
          framesConsumed: 0,
          framesTrained: 0,
          trained: () => undefined,
          waitSeconds: 0,
          targets: (step) => Promise.resolve(uniform(`${name}:teacher:${step}`, rows * classes, 3)),
        },
        epochs: 1,
        initial: startingState(model, importTorchWeights(model, torchFile(golden)), optimizer),
        ...(compiler === undefined ? {} : { compiler }),
      });
    }

    it.each(
      readGolden().flatMap((golden) => [
        { golden, name: golden.name, steps: 1, tolerance: toleranceOnDevice(1e-5) },
        ...(TWENTY_STEPS.includes(golden.name)
          ? [{ golden, name: golden.name, steps: 20, tolerance: toleranceOnDevice(1e-3) }]
          : []),
      ]),
    )('is that of the operations: $name, $steps of them', async ({ golden, steps, tolerance }) => {
      const model = createModel(golden.architecture, golden.inputShape, golden.classes);
      const reasons: string[] = [];
      const compiler = new Compiler({ directory, onEager: (_, reason) => void reasons.push(reason) });
      const graph = await trained(golden, model, steps, compiler);
      expect(reasons).toEqual([]);
      expect(apart(model, graph, await trained(golden, model, steps), tolerance)).toEqual([]);
      expect(graph.parameters.every(Number.isFinite)).toBe(true);
    });
  },
);
