import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IService } from 'kubernetes-models/v1';
import { IMAGES } from '../images.js';
import { DATABASE, passwordVariable, POSTGRES_PORT } from '../postgres-init.js';
import { DATABASE_OWNERS } from '../workloads.js';
import { postgresConfigMap } from './config-maps.js';
import { CONTAINER_SECURITY, podSecurity, selectorLabels } from './conventions.js';
import { ADMIN_SECRET, databaseSecret } from './secrets.js';

const labels = selectorLabels('postgres');
/** The user `postgres` of the Debian-based image. */
const IMAGE_USER = 999;
/** Over TCP: while the image initialises its volume, the server listens on its socket only. */
const IS_READY = ['pg_isready', '--host=127.0.0.1', '--username=postgres', `--dbname=${DATABASE}`];

export const postgresService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'postgres', labels },
  spec: {
    clusterIP: 'None',
    selector: labels,
    ports: [{ name: 'postgres', port: POSTGRES_PORT, targetPort: 'postgres' }],
  },
} satisfies IService;

export const postgresStatefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'postgres', labels },
  spec: {
    serviceName: 'postgres',
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 60,
        securityContext: podSecurity(IMAGE_USER),
        containers: [
          {
            name: 'postgres',
            image: IMAGES.postgres,
            imagePullPolicy: 'IfNotPresent',
            ports: [{ name: 'postgres', containerPort: POSTGRES_PORT }],
            env: [
              { name: 'POSTGRES_DB', value: DATABASE },
              {
                name: 'POSTGRES_PASSWORD',
                valueFrom: { secretKeyRef: { name: ADMIN_SECRET, key: 'password' } },
              },
              ...DATABASE_OWNERS.map((owner) => ({
                name: passwordVariable(owner),
                valueFrom: { secretKeyRef: { name: databaseSecret(owner), key: 'password' } },
              })),
            ],
            startupProbe: { exec: { command: IS_READY }, periodSeconds: 2, failureThreshold: 60 },
            livenessProbe: {
              exec: { command: IS_READY },
              periodSeconds: 15,
              timeoutSeconds: 5,
              failureThreshold: 6,
            },
            readinessProbe: { exec: { command: IS_READY }, periodSeconds: 5, timeoutSeconds: 5 },
            resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '1Gi' } },
            securityContext: CONTAINER_SECURITY,
            volumeMounts: [
              { name: 'init', mountPath: '/docker-entrypoint-initdb.d', readOnly: true },
              // The parent of PGDATA, which the image of version 18 names after the major version.
              { name: 'data', mountPath: '/var/lib/postgresql' },
              { name: 'socket', mountPath: '/var/run/postgresql' },
              { name: 'tmp', mountPath: '/tmp' },
            ],
          },
        ],
        volumes: [
          { name: 'init', configMap: { name: postgresConfigMap.metadata.name } },
          { name: 'socket', emptyDir: { sizeLimit: '1Mi' } },
          { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } },
      },
    ],
  },
} satisfies IStatefulSet;
