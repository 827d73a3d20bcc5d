import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { openArray, type ArrayFile } from '@fidelis/tables';

export type ImageLayout = 'nchw' | 'nhwc';

/** The inputs of a network, from a file. */
export interface InputArray {
  readonly rows: number;
  /** Of one input: [height, width, channels], or [length]. */
  readonly dimensions: readonly number[];
  /**
   * All rows in order, as many at a time, the last time perhaps fewer; images as [height][width][channels].
   *
   * @throws FidelisError REQUEST.INVALID naming the sample that has a value which is not finite
   */
  batches(rows: number): AsyncGenerator<InputBatch, undefined>;
}

export interface InputBatch {
  readonly rows: number;
  /** [rows, ...dimensions] */
  readonly inputs: Float32Array;
}

/**
 * Opens inputs: nothing but their header is read yet, so that they may be larger than the memory.
 *
 * @throws FidelisError REQUEST.INVALID naming the file, and what it should hold
 */
export async function readInputs(
  path: string,
  architecture: ArchitectureSpec,
  layout: ImageLayout,
): Promise<InputArray> {
  const array = await openArray(path);
  const [rows = 0, ...axes] = array.shape;
  const isText = architecture.name === 'bilstm';
  const problem = isText ? textProblem(array) : imageProblem(array, layout);
  if (problem !== undefined) throw refused(path, problem);
  if (rows === 0 || axes.includes(0))
    throw refused(path, `has the shape ${shapeOf(array)}: there is nothing in it`);
  const length = axes.reduce((product, size) => product * size, 1);
  const channelsFirst = !isText && layout === 'nchw';
  const [channels = 0, height = 0, width = 0] = axes;
  return {
    rows,
    dimensions: channelsFirst ? [height, width, channels] : axes,
    async *batches(batchRows): AsyncGenerator<InputBatch, undefined> {
      let row = 0;
      for await (const part of array.parts(batchRows * length)) {
        const values = part instanceof Float32Array ? part : Float32Array.from(part);
        requireFinite(path, values, length, row);
        const inputs = channelsFirst ? channelsLast(values, channels, height * width) : values;
        yield { rows: values.length / length, inputs };
        row += values.length / length;
      }
      return undefined;
    },
  };
}

function requireFinite(path: string, values: Float32Array, length: number, firstRow: number): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw refused(
    path,
    `has a value that is not finite in sample ${firstRow + Math.floor(at / length)} (from 0; ${values[at] ?? NaN} at place ${at % length} of it). Remove the sample or mend its values`,
  );
}

function textProblem(array: ArrayFile): string | undefined {
  if (array.shape.length === 2) return undefined;
  return `has the shape ${shapeOf(array)}; texts are (samples, words)`;
}

function imageProblem(array: ArrayFile, layout: ImageLayout): string | undefined {
  const wanted =
    layout === 'nchw' ? '(samples, channels, height, width)' : '(samples, height, width, channels)';
  if (array.shape.length !== 4) {
    return `has the shape ${shapeOf(array)}; images are ${wanted}. Reshape it, or say how it is laid out with --layout`;
  }
  if (array.dtype.startsWith('float')) return undefined;
  return `has the type ${array.dtype}; images are float32, scaled as for training: (x / 127.5 - 1).astype("float32")`;
}

function shapeOf({ shape }: ArrayFile): string {
  return `(${shape.join(', ')})`;
}

function refused(path: string, problem: string): FidelisError {
  return new FidelisError('REQUEST.INVALID', `${path}: ${problem}`, { details: { path } });
}

/** [n][channels][pixels] as [n][pixels][channels]. */
function channelsLast(values: Float32Array, channels: number, pixels: number): Float32Array {
  const turned = new Float32Array(values.length);
  const size = channels * pixels;
  for (let at = 0; at < values.length; at++) {
    const within = at % size;
    const channel = Math.floor(within / pixels);
    turned[at - within + (within % pixels) * channels + channel] = values[at] ?? 0;
  }
  return turned;
}
