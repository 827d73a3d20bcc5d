import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { openArray, type ArrayFile } from '@fidelis/tables';

export type ImageLayout = 'nchw' | 'nhwc';

/** The inputs of a network, from a file. */
export interface InputArray {
  readonly rows: number;
  /** Of one input: [height, width, channels], or [length]. */
  readonly dimensions: readonly number[];
  /** Rows from…to, images as [height][width][channels]. */
  slice(from: number, to: number): Float32Array;
}

/** @throws FidelisError REQUEST.INVALID naming the file, and what it should hold */
export async function readInputs(
  path: string,
  architecture: ArchitectureSpec,
  layout: ImageLayout,
): Promise<InputArray> {
  const array = await openArray(path);
  const refuse = (problem: string): never => {
    throw new FidelisError('REQUEST.INVALID', `${path}: ${problem}`, { details: { path } });
  };
  const [rows = 0, ...axes] = array.shape;
  const isText = architecture.name === 'bilstm';
  const problem = isText ? textProblem(array) : imageProblem(array, layout);
  if (problem !== undefined) throw refused(path, problem);
  if (rows === 0 || axes.includes(0))
    throw refused(path, `has the shape ${shapeOf(array)}: there is nothing in it`);
  const values = Float32Array.from(await array.numbers());
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    refuse(`has a value that is not finite in sample ${Math.floor((bad * rows) / values.length)}`);
  const length = values.length / rows;
  const channelsFirst = !isText && layout === 'nchw';
  const [channels = 0, height = 0, width = 0] = axes;
  return {
    rows,
    dimensions: channelsFirst ? [height, width, channels] : axes,
    slice: (from, to) => {
      const part = values.subarray(from * length, to * length);
      return channelsFirst ? channelsLast(part, channels, height * width) : part.slice();
    },
  };
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
