import { sizeOf, type ParameterLayout } from './model.js';

/**
 * Turns tensors from our layout to PyTorch's and back. Values are moved as bit patterns: what comes back is the same, NaNs included.
 * PyTorch has convolutions as [outputs, inputs, height, width], dense layers as [outputs, inputs], and flattens images channel by channel.
 */
export interface LayoutConversion {
  /** The tensor's shape in PyTorch. */
  readonly shape: readonly number[];
  toTorch(values: Float32Array): Float32Array;
  fromTorch(values: Float32Array): Float32Array;
}

/** @param shape ours */
export function layoutConversion(
  shape: readonly number[],
  layout: ParameterLayout | undefined,
): LayoutConversion {
  const order = layout === undefined ? undefined : orderOf(shape, layout);
  if (order === undefined) return { shape, toTorch: (values) => values, fromTorch: (values) => values };
  const { torchShape, split, axes } = order;
  const backAxes = axes.map((_, axis) => axes.indexOf(axis));
  const turned = axes.map((axis) => split[axis] ?? 0);
  return {
    shape: torchShape,
    toTorch: (values) => permute(values, split, axes),
    fromTorch: (values) => permute(values, turned, backAxes),
  };
}

interface AxisOrder {
  readonly torchShape: readonly number[];
  /** Our shape, with flattened images as three axes. */
  readonly split: readonly number[];
  /** PyTorch's axes as places in `split`. */
  readonly axes: readonly number[];
}

function orderOf(shape: readonly number[], layout: ParameterLayout): AxisOrder | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = shape;
  switch (layout.kind) {
    case 'table':
      return undefined;
    case 'convolution':
      return { torchShape: [fourth, third, first, second], split: shape, axes: [3, 2, 0, 1] };
    case 'dense': {
      const torchShape = [second, first];
      if (layout.flattened === undefined) return { torchShape, split: shape, axes: [1, 0] };
      const { height, width, channels } = layout.flattened;
      return { torchShape, split: [height, width, channels, second], axes: [3, 2, 0, 1] };
    }
  }
}

/** @returns values of the array whose axis `i` is axis `axes[i]` of the given one */
function permute(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const target = new Uint32Array(values.length);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const lengths = axes.map((axis) => shape[axis] ?? 0);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const place = axes.map(() => 0);
  const last = axes.length - 1;
  const run = lengths[last] ?? 0;
  const step = steps[last] ?? 0;
  let from = 0;
  for (let at = 0; at < target.length;) {
    for (let i = 0; i < run; i++) target[at++] = source[from + i * step] ?? 0;
    for (let axis = last - 1; axis >= 0; axis--) {
      place[axis] = (place[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if ((place[axis] ?? 0) < (lengths[axis] ?? 0)) break;
      from -= (steps[axis] ?? 0) * (lengths[axis] ?? 0);
      place[axis] = 0;
    }
  }
  return new Float32Array(target.buffer);
}
