import { createHash } from 'node:crypto';
import type { IPodSpec, ISecurityContext } from 'kubernetes-models/v1';
import { canonicalJson } from '@fidelis/contracts';

export const NAMESPACE = 'fidelis';
/** Namespace whose pods may scrape /metrics. */
export const MONITORING_NAMESPACE = 'monitoring';

/** Labels that network policies go by: what a pod may reach. */
export const ACCESS = {
  bus: 'fidelis.dev/uses-bus',
  database: 'fidelis.dev/uses-database',
  http: 'fidelis.dev/serves-http',
} as const;

/** What selects the pods of one workload; never changed, because selectors are immutable. */
export function selectorLabels(component: string): Record<string, string> {
  return { 'app.kubernetes.io/name': 'fidelis', 'app.kubernetes.io/component': component };
}

export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} satisfies ISecurityContext;

/** Security of a pod whose image runs as this user. */
export function podSecurity(user: number): NonNullable<IPodSpec['securityContext']> {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Put on the pods that read a ConfigMap, so that a change of it is a new rollout. */
export function configDigest(...data: readonly object[]): Record<string, string> {
  const digest = createHash('sha256').update(canonicalJson(data)).digest('hex').slice(0, 16);
  return { 'fidelis.dev/config-digest': digest };
}
