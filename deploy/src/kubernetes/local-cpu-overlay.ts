import { WORKLOADS, type Workload } from '../workloads.js';
import { yamlFile } from '../yaml-file.js';
import { NAMESPACE } from './conventions.js';
import { localSecretGenerators } from './secrets.js';

/** A cluster of one node on one's own machine (kind, minikube, k3s): one replica of each, small requests, GraphiQL, local passwords. */
export function localCpuFiles(): ReadonlyMap<string, string> {
  const patches = new Map([
    ...WORKLOADS.map((workload): [string, string] => [`${workload.name}.yaml`, yamlFile(smaller(workload))]),
    ['nats.yaml', yamlFile(smallRequests('nats'))],
    ['postgres.yaml', yamlFile(smallRequests('postgres'))],
  ]);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: NAMESPACE,
    resources: ['../../base'],
    patches: [...patches.keys()].map((path) => ({ path })),
    secretGenerator: localSecretGenerators(),
  };
  return new Map([['kustomization.yaml', yamlFile(kustomization)], ...patches]);
}

function smaller(workload: Workload): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: workload.name },
    spec: {
      replicas: 1,
      template: {
        spec: {
          containers: [
            {
              name: workload.name,
              resources: { requests: { cpu: '50m', memory: '128Mi' } },
              ...(workload.name === 'gateway' ? { env: [{ name: 'FIDELIS_GRAPHIQL', value: 'true' }] } : {}),
            },
          ],
        },
      },
    },
  };
}

function smallRequests(name: string): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      template: {
        spec: { containers: [{ name, resources: { requests: { cpu: '50m', memory: '128Mi' } } }] },
      },
    },
  };
}
