import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { selectorLabels } from './conventions.js';

/** At most one pod at a time, and not "at least one": with a single replica that would hold up the drain of its node for ever. */
export function disruptionBudget(name: string, component: string): IPodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, labels: selectorLabels(component) },
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(component) } },
  } satisfies IPodDisruptionBudget;
}
