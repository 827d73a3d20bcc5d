import type { NamedAttrMap } from '@tensorflow/tfjs-core';
import type { NativeBinding, OperationAttribute } from './native-kernels.js';

/**
 * The attributes of TensorFlow's operations, written out. Each type is named although the eager runtime would infer it: a recorded graph
 * needs every one.
 */
export class NativeAttributes {
  constructor(private readonly binding: NativeBinding) {}

  /** The attribute `name` is the type float32. */
  float32(name: string): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_TYPE, value: this.binding.TF_FLOAT };
  }

  /** The attribute `name` is the type int32. */
  int32(name: string): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_TYPE, value: this.binding.TF_INT32 };
  }

  text(name: string, value: string): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_STRING, value };
  }

  integers(name: string, value: readonly number[]): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_INT, value };
  }

  integer(name: string, value: number): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_INT, value };
  }

  real(name: string, value: number): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_FLOAT, value };
  }

  flag(name: string, value: boolean): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_BOOL, value };
  }

  /** Images are [N, H, W, C]. */
  channelsLast(): OperationAttribute {
    return this.text('data_format', 'NHWC');
  }
}

/** A number among a kernel's attributes. A kernel called without it is a fault of the caller's code. */
export function requireNumber(attributes: NamedAttrMap, name: string): number {
  const value = attributes[name];
  if (typeof value !== 'number') throw new TypeError(`the kernel needs a number named "${name}"`);
  return value;
}

/** A list of numbers among a kernel's attributes. */
export function requireNumbers(attributes: NamedAttrMap, name: string): readonly number[] {
  const value = attributes[name];
  if (!Array.isArray(value)) throw new TypeError(`the kernel needs numbers named "${name}"`);
  return value.map(Number);
}
