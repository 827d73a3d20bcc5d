import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IContainer, IProbe } from 'kubernetes-models/v1';
import { IMAGES } from '../images.js';
import { HTTP_PORT, programEntry, STOP_GRACE_SECONDS, type Workload } from '../workloads.js';
import { computeConfigMap, serviceConfigMap } from './config-maps.js';
import { ACCESS, configDigest, CONTAINER_SECURITY, podSecurity, selectorLabels } from './conventions.js';
import { databaseSecret } from './secrets.js';

/** The user `node` of the image. */
const IMAGE_USER = 1000;

export function serviceDeployment(workload: Workload): IDeployment {
  const labels = selectorLabels(workload.component);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: workload.name, labels },
    spec: {
      replicas: workload.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels: { ...labels, ...accessLabels(workload) },
          annotations: {
            'prometheus.io/scrape': 'true',
            'prometheus.io/port': String(HTTP_PORT),
            'prometheus.io/path': '/metrics',
            ...configDigest(...configMapsOf(workload).map(({ data }) => data)),
          },
        },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: STOP_GRACE_SECONDS,
          securityContext: podSecurity(IMAGE_USER),
          containers: [container(workload)],
          volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }],
        },
      },
    },
  } satisfies IDeployment;
}

function accessLabels(workload: Workload): Record<string, string> {
  return {
    [ACCESS.bus]: 'true',
    [ACCESS.http]: 'true',
    ...(workload.database === undefined ? {} : { [ACCESS.database]: 'true' }),
  };
}

function configMapsOf(workload: Workload): readonly { metadata: { name: string }; data: object }[] {
  return workload.computes ? [serviceConfigMap, computeConfigMap] : [serviceConfigMap];
}

function container(workload: Workload): IContainer {
  const { cpu, memory, memoryLimit } = workload.resources;
  return {
    name: workload.name,
    image: IMAGES.fidelis,
    imagePullPolicy: 'IfNotPresent',
    args: [programEntry(workload)],
    ports: [{ name: 'http', containerPort: HTTP_PORT }],
    envFrom: configMapsOf(workload).map(({ metadata }) => ({ configMapRef: { name: metadata.name } })),
    env: environment(workload),
    ...probes(),
    // No limit of the processor: throttling would make the event loop late for NATS and the probes.
    resources: { requests: { cpu, memory }, limits: { memory: memoryLimit } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  } satisfies IContainer;
}

function environment(workload: Workload): NonNullable<IContainer['env']> {
  const { database } = workload;
  return [
    { name: 'FIDELIS_INSTANCE', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ...Object.entries(workload.environment).map(([name, value]) => ({ name, value })),
    ...(database === undefined
      ? []
      : [
          {
            name: 'FIDELIS_DATABASE_URL',
            valueFrom: { secretKeyRef: { name: databaseSecret(database), key: 'url' } },
          },
        ]),
  ];
}

/** Startup: everything is set up (two minutes for NATS and PostgreSQL to come). Live: the event loop turns. Ready: the checks pass. */
function probes(): { startupProbe: IProbe; livenessProbe: IProbe; readinessProbe: IProbe } {
  return {
    startupProbe: {
      httpGet: { path: '/health/startup', port: 'http' },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 60,
    },
    livenessProbe: {
      httpGet: { path: '/health/live', port: 'http' },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    // A check answers or gives up within 3 s.
    readinessProbe: {
      httpGet: { path: '/health/ready', port: 'http' },
      periodSeconds: 5,
      timeoutSeconds: 4,
      failureThreshold: 3,
    },
  };
}
