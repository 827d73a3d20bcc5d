import { fileURLToPath } from 'node:url';
import { GATEWAY, type ServiceDefinition } from './service-definition.js';

const READY_PATH = '/health/ready';

const entryOf = (app: string): string =>
  fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));

/** Of a worker's `placement`: which runs it takes, and whether it may use the GPU. */
type Placement = 'cpu' | 'gpu';

/**
 * The services of Fidelis, in the order in which they are stopped: first the door, last who only listens.
 *
 * @param options.gpu beside the worker for the CPU one for the GPU, which trains the teachers, too
 */
export function fidelisServices({
  gpu = false,
}: { readonly gpu?: boolean } = {}): readonly ServiceDefinition[] {
  return [
    { name: GATEWAY, entry: entryOf('gateway'), env: { FIDELIS_GRAPHIQL: 'true' }, readyPath: READY_PATH },
    {
      name: 'student-control',
      entry: entryOf('student-svc'),
      env: { FIDELIS_ROLE: 'control' },
      schema: 'student',
      readyPath: READY_PATH,
    },
    worker('student-worker', 'cpu'),
    ...(gpu ? [worker('student-worker-gpu', 'gpu')] : []),
    {
      name: 'teacher',
      entry: entryOf('teacher-svc'),
      env: { FIDELIS_PLACEMENT: gpu ? 'gpu' : 'cpu' },
      schema: 'teacher',
      readyPath: READY_PATH,
    },
    { name: 'metrics', entry: entryOf('metrics-svc'), env: {}, schema: 'metrics', readyPath: READY_PATH },
  ];
}

function worker(name: string, placement: Placement): ServiceDefinition {
  return {
    name,
    entry: entryOf('student-svc'),
    env: { FIDELIS_ROLE: 'worker', FIDELIS_PLACEMENT: placement },
    readyPath: READY_PATH,
  };
}
