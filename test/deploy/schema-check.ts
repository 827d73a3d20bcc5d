import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { readJson } from './deploy-files.js';

const KUBERNETES_DEFINITIONS = {
  ConfigMap: 'core.v1.ConfigMap',
  Deployment: 'apps.v1.Deployment',
  Job: 'batch.v1.Job',
  Namespace: 'core.v1.Namespace',
  NetworkPolicy: 'networking.v1.NetworkPolicy',
  PodDisruptionBudget: 'policy.v1.PodDisruptionBudget',
  Secret: 'core.v1.Secret',
  Service: 'core.v1.Service',
  ServiceAccount: 'core.v1.ServiceAccount',
  StatefulSet: 'apps.v1.StatefulSet',
} as const;

// The published schemas name formats such as int32 that say nothing which their types do not.
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(readJson('test/deploy/schemas/kubernetes-1.32-strict.json') as object);
const compose = ajv.compile(readJson('test/deploy/schemas/compose-spec.json') as object);

/** What is wrong with a Kubernetes object, one line for each problem; an unknown field is one. */
export function kubernetesProblems(object: { readonly kind?: unknown }): string[] {
  const { kind } = object;
  if (typeof kind !== 'string' || !(kind in KUBERNETES_DEFINITIONS))
    return [`no schema for the kind ${String(kind)}`];
  const definition = KUBERNETES_DEFINITIONS[kind as keyof typeof KUBERNETES_DEFINITIONS];
  const validate = ajv.getSchema(`kubernetes-1.32-strict#/$defs/io.k8s.api.${definition}`);
  return validate === undefined
    ? [`the schema of ${kind} is missing`]
    : problems(validate as ValidateFunction, object);
}

export function composeProblems(document: unknown): string[] {
  return problems(compose, document);
}

function problems(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`.trim(),
  );
}
