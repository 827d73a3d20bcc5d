import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, IContainer, INamespace, IPodSpec, IService } from 'kubernetes-models/v1';
import { readYaml, readYamlDocuments } from './deploy-files.js';

export type WorkloadObject = IDeployment | IStatefulSet;
export type KubernetesObject =
  WorkloadObject | INetworkPolicy | IPodDisruptionBudget | IConfigMap | INamespace | IService;

export interface Kustomization {
  readonly resources: readonly string[];
  readonly patches?: readonly { readonly path: string }[];
  readonly secretGenerator?: readonly { readonly name: string; readonly literals: readonly string[] }[];
}

export const BASE = 'deploy/generated/kubernetes/base';
export const LOCAL_CPU = 'deploy/generated/kubernetes/overlays/local-cpu';

export function readKustomization(folder: string): Kustomization {
  return readYaml(`${folder}/kustomization.yaml`) as Kustomization;
}

export function baseObjects(): KubernetesObject[] {
  return readKustomization(BASE).resources.flatMap(
    (file) => readYamlDocuments(`${BASE}/${file}`) as KubernetesObject[],
  );
}

export function ofKind<Kind extends KubernetesObject['kind']>(
  objects: readonly KubernetesObject[],
  kind: Kind,
): Extract<KubernetesObject, { kind: Kind }>[] {
  return objects.filter(
    (object): object is Extract<KubernetesObject, { kind: Kind }> => object.kind === kind,
  );
}

export function workloadsOf(objects: readonly KubernetesObject[]): WorkloadObject[] {
  return [...ofKind(objects, 'Deployment'), ...ofKind(objects, 'StatefulSet')];
}

export function nameOf(object: KubernetesObject): string {
  return object.metadata?.name ?? '';
}

export function podOf(workload: WorkloadObject): IPodSpec {
  const pod = workload.spec?.template.spec;
  if (pod === undefined) throw new Error(`${nameOf(workload)} has no pod`);
  return pod;
}

export function podLabels(workload: WorkloadObject): Record<string, string> {
  return workload.spec?.template.metadata?.labels ?? {};
}

export function containersOf(workload: WorkloadObject): readonly IContainer[] {
  return podOf(workload).containers;
}

/** Does a selector choose a pod? An empty one chooses every pod. */
export function selects(selector: Record<string, string>, labels: Record<string, string>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/**
 * Kustomize's strategic merge as far as our patches go: maps are merged, a list is merged by the names of its members.
 */
export function applyPatch(target: unknown, patch: unknown): unknown {
  if (Array.isArray(target) && Array.isArray(patch)) return mergeByName(target, patch);
  if (isRecord(target) && isRecord(patch)) {
    const merged: Record<string, unknown> = { ...target };
    for (const [key, value] of Object.entries(patch)) {
      merged[key] = key in target ? applyPatch(target[key], value) : value;
    }
    return merged;
  }
  return patch;
}

function mergeByName(target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const merged = [...target];
  for (const member of patch) {
    const index = merged.findIndex(
      (each) => isRecord(each) && isRecord(member) && each['name'] === member['name'],
    );
    if (index < 0) merged.push(member);
    else merged[index] = applyPatch(merged[index], member);
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
