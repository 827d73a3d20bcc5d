import type { ServiceName } from '@fidelis/observability';

/** What runs: one program may stand twice, in two roles. */
export interface Workload {
  readonly name: string;
  readonly program: ServiceName;
  readonly component: string;
  /** The database schema and role that it owns. */
  readonly database?: 'teacher' | 'student' | 'metrics';
  /** True if it runs trainings or forward passes in child processes. */
  readonly computes: boolean;
  /** What only this workload sets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly resources: { readonly cpu: string; readonly memory: string; readonly memoryLimit: string };
}

export const HTTP_PORT = 8080;

/** A drain may take 25 s (libs/observability); the rest is for the child process and the way out. */
export const STOP_GRACE_SECONDS = 40;

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'teacher-svc',
    program: 'teacher-svc',
    component: 'teacher',
    database: 'teacher',
    computes: true,
    environment: {},
    replicas: 1,
    resources: { cpu: '1', memory: '1Gi', memoryLimit: '4Gi' },
  },
  {
    name: 'student-control',
    program: 'student-svc',
    component: 'student-control',
    database: 'student',
    computes: false,
    environment: { FIDELIS_ROLE: 'control' },
    replicas: 1,
    resources: { cpu: '100m', memory: '256Mi', memoryLimit: '512Mi' },
  },
  {
    name: 'student-worker',
    program: 'student-svc',
    component: 'student-worker',
    computes: true,
    environment: { FIDELIS_ROLE: 'worker', FIDELIS_PLACEMENT: 'cpu' },
    replicas: 1,
    resources: { cpu: '1', memory: '1Gi', memoryLimit: '4Gi' },
  },
  {
    name: 'metrics-svc',
    program: 'metrics-svc',
    component: 'metrics',
    database: 'metrics',
    computes: false,
    environment: {},
    replicas: 1,
    resources: { cpu: '250m', memory: '512Mi', memoryLimit: '1Gi' },
  },
  {
    name: 'gateway',
    program: 'gateway',
    component: 'gateway',
    computes: false,
    environment: {},
    replicas: 2,
    resources: { cpu: '100m', memory: '256Mi', memoryLimit: '512Mi' },
  },
];

export type DatabaseOwner = NonNullable<Workload['database']>;
export const DATABASE_OWNERS: readonly DatabaseOwner[] = ['teacher', 'student', 'metrics'];

/** First argument of `node` in the image. */
export function programEntry(workload: Workload): string {
  return `apps/${workload.program}/dist/main.js`;
}
