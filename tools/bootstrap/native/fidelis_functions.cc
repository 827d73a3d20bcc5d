#include "fidelis_functions.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#include "tf_auto_status.h"
#include "tfjs_backend.h"
#include "utils.h"

namespace tfnodejs {
namespace {

template <typename T, void (*Delete)(T *)>
struct Deleter {
  void operator()(T *owned) const { Delete(owned); }
};
using Graph = std::unique_ptr<TF_Graph, Deleter<TF_Graph, TF_DeleteGraph>>;
using Function = std::unique_ptr<TF_Function, Deleter<TF_Function, TF_DeleteFunction>>;
using Buffer = std::unique_ptr<TF_Buffer, Deleter<TF_Buffer, TF_DeleteBuffer>>;
using ImportOptions =
    std::unique_ptr<TF_ImportGraphDefOptions, Deleter<TF_ImportGraphDefOptions, TF_DeleteImportGraphDefOptions>>;
using DeviceList = std::unique_ptr<TF_DeviceList, Deleter<TF_DeviceList, TF_DeleteDeviceList>>;

// napi keeps a pending exception: every function below returns false or nullptr once there is one.

bool ReadArguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count == wanted) return true;
  napi_throw_error(env, nullptr, "a function of the addon was called with too few arguments");
  return false;
}

TFE_Context *ContextOf(napi_env env) {
  TFJSBackend *backend = nullptr;
  if (napi_get_instance_data(env, reinterpret_cast<void **>(&backend)) != napi_ok || backend == nullptr) {
    napi_throw_error(env, nullptr, "the addon has no TensorFlow context");
    return nullptr;
  }
  return backend->context();
}

bool ReadString(napi_env env, napi_value value, std::string *text) {
  ENSURE_VALUE_IS_STRING_RETVAL(env, value, false);
  ENSURE_NAPI_OK_RETVAL(env, GetStringParam(env, value, *text), false);
  return true;
}

Graph ReadGraph(napi_env env, napi_value value) {
  ENSURE_VALUE_IS_TYPED_ARRAY_RETVAL(env, value, nullptr);
  napi_typedarray_type type;
  size_t length = 0;
  void *bytes = nullptr;
  ENSURE_NAPI_OK_RETVAL(env, napi_get_typedarray_info(env, value, &type, &length, &bytes, nullptr, nullptr), nullptr);
  if (type != napi_uint8_array) {
    napi_throw_error(env, nullptr, "the graph must be a Uint8Array");
    return nullptr;
  }
  TF_AutoStatus status;
  Graph graph(TF_NewGraph());
  Buffer definition(TF_NewBufferFromString(bytes, length));
  ImportOptions options(TF_NewImportGraphDefOptions());
  TF_GraphImportGraphDef(graph.get(), definition.get(), options.get(), status.status);
  ENSURE_TF_OK_RETVAL(env, status, nullptr);
  return graph;
}

// "<node>:<index>" for each element of an array of strings.
bool ReadTensors(napi_env env, TF_Graph *graph, napi_value values, std::vector<TF_Output> *tensors) {
  ENSURE_VALUE_IS_ARRAY_RETVAL(env, values, false);
  uint32_t count = 0;
  ENSURE_NAPI_OK_RETVAL(env, napi_get_array_length(env, values, &count), false);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    ENSURE_NAPI_OK_RETVAL(env, napi_get_element(env, values, i, &element), false);
    std::string text;
    if (!ReadString(env, element, &text)) return false;
    const size_t colon = text.rfind(':');
    const std::string node = text.substr(0, colon);
    const int index = colon == std::string::npos ? 0 : std::atoi(text.c_str() + colon + 1);
    TF_Operation *operation = TF_GraphOperationByName(graph, node.c_str());
    if (operation == nullptr || index < 0 || index >= TF_OperationNumOutputs(operation)) {
      NAPI_THROW_ERROR(env, "the graph has no tensor \"%s\"", text.c_str());
      return false;
    }
    tensors->push_back({operation, index});
  }
  return true;
}

// What CUDA's driver, which TensorFlow has loaded and initialised by then, calls its device; empty if it does not say.
// GPUs are numbered alike by both: among those that CUDA_VISIBLE_DEVICES leaves.
std::string CudaModel(int ordinal) {
  void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) return "";
  auto get = reinterpret_cast<int (*)(int *, int)>(dlsym(driver, "cuDeviceGet"));
  auto get_name = reinterpret_cast<int (*)(char *, int, int)>(dlsym(driver, "cuDeviceGetName"));
  char name[256] = "";
  int device = 0;
  const bool known = get != nullptr && get_name != nullptr && get(&device, ordinal) == 0 &&
                     get_name(name, sizeof(name) - 1, device) == 0;
  const std::string model = known ? name : "";
  dlclose(driver);
  return model;
}

bool SetString(napi_env env, napi_value object, const char *key, const std::string &text) {
  napi_value value;
  ENSURE_NAPI_OK_RETVAL(env, napi_create_string_utf8(env, text.c_str(), text.size(), &value), false);
  ENSURE_NAPI_OK_RETVAL(env, napi_set_named_property(env, object, key, value), false);
  return true;
}

}  // namespace

napi_value RegisterFunction(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  if (!ReadArguments(env, info, 4, arguments)) return nullptr;
  TFE_Context *context = ContextOf(env);
  if (context == nullptr) return nullptr;

  std::string name;
  if (!ReadString(env, arguments[1], &name)) return nullptr;

  Graph graph = ReadGraph(env, arguments[0]);
  if (graph == nullptr) return nullptr;
  std::vector<TF_Output> inputs;
  std::vector<TF_Output> outputs;
  if (!ReadTensors(env, graph.get(), arguments[2], &inputs)) return nullptr;
  if (!ReadTensors(env, graph.get(), arguments[3], &outputs)) return nullptr;

  TF_AutoStatus status;
  // -1: every node of the graph but the inputs is the function's body.
  Function function(TF_GraphToFunction(graph.get(), name.c_str(), 0, -1, nullptr, static_cast<int>(inputs.size()),
                                       inputs.data(), static_cast<int>(outputs.size()), outputs.data(), nullptr,
                                       nullptr, nullptr, status.status));
  ENSURE_TF_OK_RETVAL(env, status, nullptr);
  TFE_ContextAddFunction(context, function.get(), status.status);
  ENSURE_TF_OK_RETVAL(env, status, nullptr);
  return nullptr;
}

napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  napi_value argument;
  if (!ReadArguments(env, info, 1, &argument)) return nullptr;
  TFE_Context *context = ContextOf(env);
  std::string name;
  if (context == nullptr || !ReadString(env, argument, &name)) return nullptr;
  TF_AutoStatus status;
  TFE_ContextRemoveFunction(context, name.c_str(), status.status);
  ENSURE_TF_OK_RETVAL(env, status, nullptr);
  return nullptr;
}

napi_value InferShapes(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!ReadArguments(env, info, 2, arguments)) return nullptr;
  Graph graph = ReadGraph(env, arguments[0]);
  std::string name;
  if (graph == nullptr || !ReadString(env, arguments[1], &name)) return nullptr;
  TF_Operation *operation = TF_GraphOperationByName(graph.get(), name.c_str());
  if (operation == nullptr) {
    NAPI_THROW_ERROR(env, "the graph has no node \"%s\"", name.c_str());
    return nullptr;
  }
  napi_value list;
  ENSURE_NAPI_OK_RETVAL(env, napi_create_array(env, &list), nullptr);
  TF_AutoStatus status;
  for (int i = 0; i < TF_OperationNumOutputs(operation); i++) {
    const TF_Output tensor = {operation, i};
    napi_value output;
    napi_value dtype;
    ENSURE_NAPI_OK_RETVAL(env, napi_create_object(env, &output), nullptr);
    ENSURE_NAPI_OK_RETVAL(env, napi_create_int32(env, TF_OperationOutputType(tensor), &dtype), nullptr);
    ENSURE_NAPI_OK_RETVAL(env, napi_set_named_property(env, output, "dtype", dtype), nullptr);
    const int rank = TF_GraphGetTensorNumDims(graph.get(), tensor, status.status);
    ENSURE_TF_OK_RETVAL(env, status, nullptr);
    std::vector<int64_t> lengths(rank > 0 ? rank : 0);
    if (rank > 0) {
      TF_GraphGetTensorShape(graph.get(), tensor, lengths.data(), rank, status.status);
      ENSURE_TF_OK_RETVAL(env, status, nullptr);
    }
    if (rank >= 0 && std::all_of(lengths.begin(), lengths.end(), [](int64_t length) { return length >= 0; })) {
      napi_value shape;
      ENSURE_NAPI_OK_RETVAL(env, napi_create_array(env, &shape), nullptr);
      for (size_t axis = 0; axis < lengths.size(); axis++) {
        napi_value length;
        ENSURE_NAPI_OK_RETVAL(env, napi_create_int64(env, lengths[axis], &length), nullptr);
        ENSURE_NAPI_OK_RETVAL(env, napi_set_element(env, shape, axis, length), nullptr);
      }
      ENSURE_NAPI_OK_RETVAL(env, napi_set_named_property(env, output, "shape", shape), nullptr);
    }
    ENSURE_NAPI_OK_RETVAL(env, napi_set_element(env, list, i, output), nullptr);
  }
  return list;
}

napi_value ListDevices(napi_env env, napi_callback_info) {
  TFE_Context *context = ContextOf(env);
  if (context == nullptr) return nullptr;
  TF_AutoStatus status;
  DeviceList devices(TFE_ContextListDevices(context, status.status));
  ENSURE_TF_OK_RETVAL(env, status, nullptr);
  napi_value list;
  ENSURE_NAPI_OK_RETVAL(env, napi_create_array(env, &list), nullptr);
  int gpus = 0;
  for (int i = 0; i < TF_DeviceListCount(devices.get()); i++) {
    const std::string name = TF_DeviceListName(devices.get(), i, status.status);
    const std::string type = TF_DeviceListType(devices.get(), i, status.status);
    const int64_t memory = TF_DeviceListMemoryBytes(devices.get(), i, status.status);
    ENSURE_TF_OK_RETVAL(env, status, nullptr);
    napi_value device;
    napi_value bytes;
    ENSURE_NAPI_OK_RETVAL(env, napi_create_object(env, &device), nullptr);
    ENSURE_NAPI_OK_RETVAL(env, napi_create_int64(env, memory, &bytes), nullptr);
    ENSURE_NAPI_OK_RETVAL(env, napi_set_named_property(env, device, "memoryBytes", bytes), nullptr);
    if (!SetString(env, device, "name", name) || !SetString(env, device, "type", type)) return nullptr;
    if (type == "GPU") {
      const std::string model = CudaModel(gpus++);
      if (!model.empty() && !SetString(env, device, "model", model)) return nullptr;
    }
    ENSURE_NAPI_OK_RETVAL(env, napi_set_element(env, list, i, device), nullptr);
  }
  return list;
}

}  // namespace tfnodejs
