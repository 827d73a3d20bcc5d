import { readdirSync, readFileSync } from 'node:fs';
import { architectureSchema } from '@fidelis/contracts';
import { inputLength, isImageShape, type InputShape } from '@fidelis/data';
import { decodeSafetensors, encodeSafetensors } from '@fidelis/models';
import { z } from 'zod';
import { uniform, weight, words } from './formula.js';

const count = z.int().positive();
const caseSchema = z.object({
  architecture: architectureSchema,
  inputShape: z.union([
    z.object({ height: count, width: count, channels: count }),
    z.object({ length: count, vocabulary: count }),
  ]),
  classes: count,
  rows: count,
  smooth: z.int().nonnegative(),
  gradientMode: z.enum(['train', 'eval']),
  tensors: z.record(z.string(), z.array(count)),
});

/** What `write_golden.py` wrote of a network. */
export interface GoldenCase extends z.infer<typeof caseSchema> {
  readonly name: string;
  /** `eval` and `train` [rows][classes], `loss` [1], digests of gradients and buffers. */
  readonly values: ReadonlyMap<string, Float32Array>;
}

export function readGolden(): GoldenCase[] {
  const folder = new URL('golden/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.safetensors'))
    .sort()
    .map((file) => {
      const { tensors, metadata } = decodeSafetensors(readFileSync(new URL(file, folder)));
      const described = caseSchema.parse(JSON.parse(metadata['case'] ?? ''));
      const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
      return { ...described, name: file.replace(/\.safetensors$/, ''), values };
    });
}

/** A file of the network's weights as PyTorch would save them. */
export function torchFile({ tensors, smooth }: GoldenCase): Uint8Array {
  return encodeSafetensors({
    tensors: Object.entries(tensors).map(([name, shape]) => ({
      name,
      shape,
      values: weight(name, shape, smooth),
    })),
    metadata: {},
  });
}

/** The batch of the case: [rows][height][width][channels] or [rows][length]. */
export function inputsOf({ name, inputShape, rows }: GoldenCase): Float32Array {
  const shape: InputShape = inputShape;
  if (isImageShape(shape)) return uniform(`${name}:images`, rows * inputLength(shape));
  const { length, vocabulary } = shape;
  const lengths = words(`${name}:lengths`, rows);
  return Float32Array.from(words(`${name}:tokens`, rows * length), (word, place) =>
    place % length < ((lengths[Math.floor(place / length)] ?? 0) % length) + 1
      ? (word % (vocabulary - 1)) + 1
      : 0,
  );
}

/** Targets before their softmax, [rows][classes]. */
export function targetsOf({ name, rows, classes }: GoldenCase): Float32Array {
  return uniform(`${name}:targets`, rows * classes);
}

/**
 * How far a tensor is from the golden one, as a part of that one's norm: where the golden tensor is whole exactly, else the greatest of
 * the difference of norms, of sampled values, and of products with vectors of signs, whose standard deviation is the norm of the difference.
 */
export function distance({ values }: GoldenCase, key: string, actual: Float32Array): number {
  const part = (suffix: string): Float32Array | undefined => values.get(`${key}/${suffix}`);
  const whole = part('whole');
  if (whole !== undefined) return relativeDistance(actual, whole);
  const [expectedNorm = Number.NaN] = part('norm') ?? [];
  const samples = part('samples') ?? new Float32Array();
  const products = part('products') ?? new Float32Array();
  const stride = Math.floor(actual.length / samples.length);
  const differences = [
    norm(actual) - expectedNorm,
    ...samples.map((sample, i) => sample - (actual[i * stride] ?? NaN)),
    ...products.map((product, i) => product - signedSum(`${key}:${i}`, actual)),
  ];
  return Math.max(...differences.map(Math.abs)) / expectedNorm;
}

/** Norm of the difference, as a part of the expected one's. */
export function relativeDistance(actual: Float32Array, expected: Float32Array | undefined): number {
  if (expected?.length !== actual.length) return Infinity;
  return norm(actual.map((value, i) => value - (expected[i] ?? NaN))) / norm(expected);
}

function signedSum(name: string, values: Float32Array): number {
  const signs = words(name, values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++)
    sum += (signs[i] ?? 0) >>> 31 === 1 ? (values[i] ?? 0) : -(values[i] ?? 0);
  return sum;
}

function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
