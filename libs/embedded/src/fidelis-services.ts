import { fileURLToPath } from 'node:url';
import { GATEWAY, type ServiceDefinition } from './service-definition.js';

const READY_PATH = '/health/ready';

const entryOf = (app: string): string =>
  fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));

/** The services of Fidelis, in the order in which they are stopped: first the door, last who only listens. */
export function fidelisServices(): readonly ServiceDefinition[] {
  return [
    { name: GATEWAY, entry: entryOf('gateway'), env: { FIDELIS_GRAPHIQL: 'true' }, readyPath: READY_PATH },
    {
      name: 'student-control',
      entry: entryOf('student-svc'),
      env: { FIDELIS_ROLE: 'control' },
      schema: 'student',
      readyPath: READY_PATH,
    },
    {
      name: 'student-worker',
      entry: entryOf('student-svc'),
      env: { FIDELIS_ROLE: 'worker', FIDELIS_PLACEMENT: 'cpu' },
      readyPath: READY_PATH,
    },
    { name: 'teacher', entry: entryOf('teacher-svc'), env: {}, schema: 'teacher', readyPath: READY_PATH },
    { name: 'metrics', entry: entryOf('metrics-svc'), env: {}, schema: 'metrics', readyPath: READY_PATH },
  ];
}
