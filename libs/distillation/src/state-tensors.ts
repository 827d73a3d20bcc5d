import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensorNamed, type NamedTensors } from './tensor-function.js';
import { slotName } from './training-step.js';
import type { TrainingState } from './training-state.js';

/** A training's state in the backend's memory: the tensors that go from one step into the next. */
export class StateTensors {
  private tensors: Record<string, Tensor>;

  constructor(initial: TrainingState) {
    this.tensors = {
      parameters: tf.tensor1d(initial.parameters),
      // A model without buffers has no such tensor: there are none of no values in a graph.
      ...(initial.buffers.length === 0 ? {} : { buffers: tf.tensor1d(initial.buffers) }),
      ...Object.fromEntries(initial.slots.map((slot, index) => [slotName(index), tf.tensor1d(slot)])),
    };
  }

  get named(): NamedTensors {
    return this.tensors;
  }

  /** Takes over what a step made of it, and frees what was before. */
  advance(outputs: NamedTensors): void {
    const names = Object.keys(this.tensors);
    const next = Object.fromEntries(names.map((name) => [name, tensorNamed(outputs, name)]));
    this.dispose();
    this.tensors = next;
  }

  /** Copies: what the backend hands out may be its own memory. */
  download(): Pick<TrainingState, 'parameters' | 'buffers' | 'slots'> {
    const values = (name: string): Float32Array =>
      tensorNamed(this.tensors, name).dataSync<'float32'>().slice();
    return {
      parameters: values('parameters'),
      buffers: 'buffers' in this.tensors ? values('buffers') : new Float32Array(),
      slots: Object.keys(this.tensors)
        .filter((name) => name.startsWith('slot'))
        .map(values),
    };
  }

  dispose(): void {
    tf.dispose(this.tensors);
  }
}
