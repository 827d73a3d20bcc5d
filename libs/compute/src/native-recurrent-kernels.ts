import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { NativeAttributes } from './kernel-attributes.js';
import { requireInput } from './kernel-input.js';
import { TRAINING_KERNELS } from './kernel-names.js';
import { registerNative, type NativeBackend, type OperationAttribute } from './native-kernels.js';

/** Of the recurrent layer: i, cs, f, o, ci, co, h. */
const STATES = 7;
/** Gradients of x, cs_prev, h_prev, w, wci, wcf, wco, b. */
const GRADIENTS = 8;
const STATE_NAMES = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'];

/** Rows of a table, sequences turned round, and the recurrent layer of a long short-term memory. Idempotent. */
export function registerNativeRecurrentKernels(backend: NativeBackend): void {
  const attributes = new NativeAttributes(backend.binding);
  const float32 = attributes.float32('T');

  registerNative(TRAINING_KERNELS.tableLookup, (inputs) => {
    const axis = tf.scalar(0, 'int32');
    const rows = backend.executeSingleOutput(
      'GatherV2',
      [
        attributes.float32('Tparams'),
        attributes.int32('Tindices'),
        attributes.int32('Taxis'),
        attributes.integer('batch_dims', 0),
      ],
      [requireInput(inputs, 'table'), requireInput(inputs, 'rows'), axis],
    );
    axis.dispose();
    return rows;
  });
  registerNative(TRAINING_KERNELS.reverseSequence, (inputs) =>
    backend.executeSingleOutput(
      'ReverseSequence',
      [
        float32,
        attributes.int32('Tlen'),
        attributes.integer('seq_dim', 0),
        attributes.integer('batch_dim', 1),
      ],
      [requireInput(inputs, 'x'), requireInput(inputs, 'lengths')],
    ),
  );

  const layer = (
    name: string,
    extra: readonly OperationAttribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): TensorInfo[] =>
    withSteps(backend, attributes, requireSteps(inputs), (steps) => {
      const ids = backend.getInputTensorIds(inputs as tf.Tensor[]);
      const infos = backend.binding.executeOp(name, [float32, ...extra], [steps, ...ids], outputs);
      return infos.map((info) => backend.createOutputTensor(info));
    });
  registerNative(TRAINING_KERNELS.lstm, (inputs) =>
    layer('BlockLSTMV2', [attributes.real('cell_clip', 0), peepholes(attributes)], operands(inputs), STATES),
  );
  registerNative(TRAINING_KERNELS.lstmGrad, (inputs) => {
    const states = ['csGradient', 'hGradient'];
    const given = [
      ...operands(inputs),
      ...[...STATE_NAMES, ...states].map((name) => requireInput(inputs, name)),
    ];
    const [dx, ...rest] = layer('BlockLSTMGradV2', [peepholes(attributes)], given, GRADIENTS);
    const dw = rest[2];
    const db = rest.at(-1);
    if (dx === undefined || dw === undefined || db === undefined)
      throw new TypeError('the gradient has too few outputs');
    for (const unused of rest)
      if (unused !== dw && unused !== db && unused instanceof tf.Tensor) unused.dispose();
    return [dx, dw, db];
  });
}

function operands(inputs: NamedTensorInfoMap): TensorInfo[] {
  const zeros = (name: string): TensorInfo => requireInput(inputs, name);
  // Without peepholes their weights are not read: any vector of the cells' length stands for them.
  return [
    requireInput(inputs, 'x'),
    zeros('state'),
    zeros('state'),
    requireInput(inputs, 'w'),
    zeros('unused'),
    zeros('unused'),
    zeros('unused'),
    requireInput(inputs, 'b'),
  ];
}

function peepholes(attributes: NativeAttributes): OperationAttribute {
  return attributes.flag('use_peephole', false);
}

/** Steps of the sequences: the first axis of the first operand. */
function requireSteps([x]: readonly TensorInfo[]): number {
  const steps = x?.shape[0];
  if (steps === undefined) throw new TypeError('a recurrent layer needs its inputs');
  return steps;
}

/** TensorFlow wants the number of steps as an int64, which TensorFlow.js has no tensors of: it is made of an int32 and freed here. */
function withSteps(
  backend: NativeBackend,
  attributes: NativeAttributes,
  steps: number,
  run: (id: number) => TensorInfo[],
): TensorInfo[] {
  const { binding } = backend;
  const narrow = tf.scalar(steps, 'int32');
  const [wide] = binding.executeOp(
    'Cast',
    [
      attributes.int32('SrcT'),
      { name: 'DstT', type: binding.TF_ATTR_TYPE, value: binding.TF_INT64 },
      attributes.flag('Truncate', false),
    ],
    backend.getInputTensorIds([narrow]),
    1,
  );
  narrow.dispose();
  if (wide === undefined) throw new TypeError('the cast gave no tensor');
  try {
    return run(wide.id);
  } finally {
    binding.deleteTensor(wide.id);
  }
}
