import {
  getKernel,
  registerKernel,
  type DataType,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { NativeAttributes } from './kernel-attributes.js';
import { requireInput } from './kernel-input.js';
import { TRAINING_KERNELS } from './kernel-names.js';

export interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | readonly number[];
}

/** What the addon tells of a tensor that an operation made. */
export interface OutputInfo {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** What of tfjs-node's addon this library uses. Tensors go by ids, which are never used twice. */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  executeOp(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputIds: readonly number[],
    outputs: number,
  ): OutputInfo[];
  deleteTensor(id: number): void;
  createTensor(shape: readonly number[], dtype: number, values: unknown): number;
  loadSavedModel(directory: string, tags: string): number;
  runSavedModel(session: number, inputIds: readonly number[], feeds: string, fetches: string): OutputInfo[];
  deleteSavedModel(session: number): void;
  isUsingGpuDevice(): boolean;
  /** Absent, as those below, from an addon that was not compiled by the set-up (tools/bootstrap/native). */
  readonly registerFunction?: (
    graph: Uint8Array,
    name: string,
    inputs: readonly string[],
    outputs: readonly string[],
  ) => void;
  readonly removeFunction?: (name: string) => void;
  readonly inferShapes?: (graph: Uint8Array, node: string) => readonly InferredOutput[];
  readonly listDevices?: () => readonly NativeDevice[];
}

/** What TensorFlow knows of an output without running the operation. */
export interface InferredOutput {
  readonly dtype: number;
  /** Absent where it depends on values. */
  readonly shape?: readonly number[];
}

/** A device as TensorFlow tells of it. */
export interface NativeDevice {
  readonly name: string;
  /** "CPU", "GPU" */
  readonly type: string;
  /** What TensorFlow may use of a GPU; of the processor it means nothing. */
  readonly memoryBytes: number;
  /** What the driver calls a GPU. */
  readonly model?: string;
}

/** What of tfjs-node's backend this library uses; the package does not export its type. */
export interface NativeBackend {
  binding: NativeBinding;
  /** Every tensor made of values passes here before it is uploaded. */
  move(dataId: object, values: unknown, shape: readonly number[], dtype: DataType, refCount: number): void;
  getDTypeInteger(dtype: DataType): number;
  /** Ids of the tensors; what waits in this process's memory is uploaded first. */
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  /** A tensor of the current scope. */
  createOutputTensor(info: OutputInfo): Tensor;
  executeSingleOutput(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: TensorInfo[],
  ): TensorInfo;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): TensorInfo[];
}

/** Registers TensorFlow's own kernels for what TensorFlow.js composes from many. Idempotent. */
export function registerNativeKernels(backend: NativeBackend): void {
  const attributes = new NativeAttributes(backend.binding);
  const float32 = attributes.float32('T');
  const channelsLast = attributes.channelsLast();
  registerNative(TRAINING_KERNELS.biasAdd, (inputs) =>
    backend.executeSingleOutput(
      'BiasAdd',
      [float32, channelsLast],
      [requireInput(inputs, 'value'), requireInput(inputs, 'bias')],
    ),
  );
  registerNative(TRAINING_KERNELS.biasAddGrad, (inputs) =>
    backend.executeSingleOutput('BiasAddGrad', [float32, channelsLast], [requireInput(inputs, 'dy')]),
  );
  registerNative(TRAINING_KERNELS.reluGrad, (inputs) =>
    backend.executeSingleOutput(
      'ReluGrad',
      [float32],
      [requireInput(inputs, 'dy'), requireInput(inputs, 'y')],
    ),
  );
  registerNative(TRAINING_KERNELS.softmaxCrossEntropy, (inputs) =>
    backend.executeMultipleOutputs(
      'SoftmaxCrossEntropyWithLogits',
      [float32],
      [requireInput(inputs, 'features'), requireInput(inputs, 'labels')],
      2,
    ),
  );
}

/** Registers a kernel of the native backend, unless it is registered. */
export function registerNative(
  kernelName: string,
  run: (inputs: NamedTensorInfoMap, attributes: NamedAttrMap) => TensorInfo | TensorInfo[],
): void {
  const backendName = 'tensorflow';
  if (isRegistered(kernelName, backendName)) return;
  registerKernel({ kernelName, backendName, kernelFunc: ({ inputs, attrs }) => run(inputs, attrs ?? {}) });
}

/** TensorFlow.js types the absent kernel as present. */
function isRegistered(kernelName: string, backendName: string): boolean {
  const kernel: unknown = getKernel(kernelName, backendName);
  return kernel !== undefined;
}
