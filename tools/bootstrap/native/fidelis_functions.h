#ifndef FIDELIS_FUNCTIONS_H_
#define FIDELIS_FUNCTIONS_H_

#include <node_api.h>

// The entry points that Fidelis adds to the addon of @tensorflow/tfjs-node. Errors are JavaScript exceptions.
namespace tfnodejs {

// registerFunction(graphDef: Uint8Array, name: string, inputs: string[], outputs: string[]): void
//
// Makes the graph a function of the eager context: executeOp runs it by its name, with tensors where they are, on
// the host or on a device. `inputs` are placeholders of the graph and become the arguments in this order; `outputs`
// are tensors, "<node>:<index>".
napi_value RegisterFunction(napi_env env, napi_callback_info info);

// removeFunction(name: string): void
//
// Frees the function and what TensorFlow has compiled of it.
napi_value RemoveFunction(napi_env env, napi_callback_info info);

// inferShapes(graphDef: Uint8Array, node: string): { dtype: number, shape?: number[] }[]
//
// The outputs of a node of the graph, as TensorFlow knows them without running it; without a shape where that depends
// on values.
napi_value InferShapes(napi_env env, napi_callback_info info);

// listDevices(): { name: string, type: string, memoryBytes: number, model?: string }[]
//
// The devices of the eager context. `model` is what CUDA's driver calls a GPU.
napi_value ListDevices(napi_env env, napi_callback_info info);

}  // namespace tfnodejs

#endif  // FIDELIS_FUNCTIONS_H_
