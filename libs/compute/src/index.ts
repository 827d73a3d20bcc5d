export {
  BACKEND_PREFERENCES,
  type BackendAttempt,
  type BackendName,
  type BackendPreference,
  type BackendReport,
  type ComputeDevice,
} from './backend-report.js';
export { childPort, type ChildPort } from './child-port.js';
export {
  CompiledFunction,
  type NamedTensors,
  type OnEager,
  type TensorFunction,
} from './compiled/compiled-function.js';
export { Compiler, eagerFunction, type CompilerOptions, type RunnableFunction } from './compiled/compiler.js';
export { computeClock, type ComputeClock } from './compute-clock.js';
export { computeEnvironment } from './compute-environment.js';
export { ComputeChild, type ChildExit, type ComputeChildOptions } from './compute-child.js';
export { fingerprint } from './fingerprint.js';
export { probeBackend } from './probe-backend.js';
export { startBackend, type BackendOptions } from './start-backend.js';
export { withSilenceLimit } from './silence-limit.js';
