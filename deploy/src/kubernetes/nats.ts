import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IService } from 'kubernetes-models/v1';
import { IMAGES } from '../images.js';
import { NATS_PORTS } from '../nats-config.js';
import { NATS_CONFIG_FILE, natsConfigMap } from './config-maps.js';
import { configDigest, CONTAINER_SECURITY, podSecurity, selectorLabels } from './conventions.js';

const labels = selectorLabels('nats');
const CONFIG_DIRECTORY = '/etc/fidelis-nats';

/** Headless: clients go to the server itself. */
export const natsService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'nats', labels },
  spec: {
    clusterIP: 'None',
    selector: labels,
    ports: [{ name: 'client', port: NATS_PORTS.client, targetPort: 'client' }],
  },
} satisfies IService;

/** One server. There is no other one that lame-duck mode could send clients to, so SIGTERM ends it in order. */
export const natsStatefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'nats', labels },
  spec: {
    serviceName: 'nats',
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels, annotations: configDigest(natsConfigMap.data) },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 60,
        securityContext: podSecurity(1000),
        containers: [
          {
            name: 'nats',
            image: IMAGES.nats,
            imagePullPolicy: 'IfNotPresent',
            args: ['--config', `${CONFIG_DIRECTORY}/${NATS_CONFIG_FILE}`],
            ports: [
              { name: 'client', containerPort: NATS_PORTS.client },
              { name: 'monitor', containerPort: NATS_PORTS.monitor },
            ],
            // 80 % of the memory limit, so that the collector works before the kernel does.
            env: [{ name: 'GOMEMLIMIT', value: '1600MiB' }],
            startupProbe: {
              httpGet: { path: '/healthz', port: 'monitor' },
              periodSeconds: 5,
              timeoutSeconds: 5,
              failureThreshold: 60,
            },
            livenessProbe: {
              httpGet: { path: '/healthz?js-enabled-only=true', port: 'monitor' },
              periodSeconds: 30,
              timeoutSeconds: 5,
            },
            readinessProbe: {
              httpGet: { path: '/healthz?js-server-only=true', port: 'monitor' },
              periodSeconds: 5,
              timeoutSeconds: 5,
            },
            resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
            securityContext: CONTAINER_SECURITY,
            volumeMounts: [
              { name: 'config', mountPath: CONFIG_DIRECTORY, readOnly: true },
              { name: 'data', mountPath: '/data' },
            ],
          },
        ],
        volumes: [{ name: 'config', configMap: { name: natsConfigMap.metadata.name } }],
      },
    },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Gi' } } },
      },
    ],
  },
} satisfies IStatefulSet;
