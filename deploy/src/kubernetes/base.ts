import type { INamespace } from 'kubernetes-models/v1';
import { WORKLOADS } from '../workloads.js';
import { yamlFile } from '../yaml-file.js';
import { computeConfigMap, natsConfigMap, postgresConfigMap, serviceConfigMap } from './config-maps.js';
import { NAMESPACE } from './conventions.js';
import { disruptionBudget } from './disruption-budget.js';
import { gatewayService } from './gateway-service.js';
import { natsService, natsStatefulSet } from './nats.js';
import { networkPolicies } from './network-policies.js';
import { postgresService, postgresStatefulSet } from './postgres.js';
import { serviceDeployment } from './service-deployment.js';

const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
} satisfies INamespace;

/** Objects of the base, by file. */
export function baseObjects(): ReadonlyMap<string, readonly object[]> {
  return new Map<string, readonly object[]>([
    ['namespace.yaml', [namespace]],
    ['network-policies.yaml', networkPolicies],
    ['config-maps.yaml', [serviceConfigMap, computeConfigMap]],
    ['nats.yaml', [natsConfigMap, natsService, natsStatefulSet, disruptionBudget('nats', 'nats')]],
    [
      'postgres.yaml',
      [postgresConfigMap, postgresService, postgresStatefulSet, disruptionBudget('postgres', 'postgres')],
    ],
    ...WORKLOADS.map((workload): [string, readonly object[]] => [
      `${workload.name}.yaml`,
      [
        ...(workload.name === 'gateway' ? [gatewayService] : []),
        serviceDeployment(workload),
        disruptionBudget(workload.name, workload.component),
      ],
    ]),
  ]);
}

/** The files of the base; `kustomization.yaml` names all others. */
export function baseFiles(): ReadonlyMap<string, string> {
  const objects = baseObjects();
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: NAMESPACE,
    labels: [{ pairs: { 'app.kubernetes.io/part-of': 'fidelis' }, includeTemplates: true }],
    resources: [...objects.keys()],
  };
  return new Map([
    ['kustomization.yaml', yamlFile(kustomization)],
    ...[...objects].map(([name, documents]): [string, string] => [name, yamlFile(...documents)]),
  ]);
}
