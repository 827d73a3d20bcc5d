import { IMAGES, programEntry, STOP_GRACE_SECONDS, WORKLOADS } from '@fidelis/deploy';
import type { IContainer } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { exists, filesBelow, readYaml } from './deploy-files.js';
import {
  applyPatch,
  BASE,
  baseObjects,
  containersOf,
  LOCAL_CPU,
  nameOf,
  ofKind,
  podLabels,
  podOf,
  readKustomization,
  selects,
  workloadsOf,
  type KubernetesObject,
  type WorkloadObject,
} from './kubernetes-objects.js';
import { kubernetesProblems } from './schema-check.js';
import { environmentProblems } from './service-config.js';

type EnvironmentVariable = NonNullable<IContainer['env']>[number];

const objects = baseObjects();
const workloads = workloadsOf(objects);
const configMaps = ofKind(objects, 'ConfigMap');
const title = (object: KubernetesObject): string => `${object.kind} ${nameOf(object)}`;

const secrets = new Map(
  (readKustomization(LOCAL_CPU).secretGenerator ?? []).map(
    ({ name, literals }): [string, Map<string, string>] => [
      name,
      new Map(
        literals.map((literal): [string, string] => {
          const split = literal.indexOf('=');
          return [literal.slice(0, split), literal.slice(split + 1)];
        }),
      ),
    ],
  ),
);

/** The overlay's version of the base's workloads. */
const patched = (readKustomization(LOCAL_CPU).patches ?? []).map(({ path }) => {
  const patch = readYaml(`${LOCAL_CPU}/${path}`) as KubernetesObject;
  const target = objects.find((object) => object.kind === patch.kind && nameOf(object) === nameOf(patch));
  return { path, patch, target, result: applyPatch(target, patch) as WorkloadObject };
});

function workload(name: string): WorkloadObject {
  const found = workloads.find((each) => nameOf(each) === name);
  if (found === undefined) throw new Error(`no workload ${name}`);
  return found;
}

/** A container's environment with ConfigMaps and the local overlay's Secrets put in. */
function environment(of: WorkloadObject): Record<string, string> {
  const maps = containersOf(of).flatMap(({ envFrom = [] }) =>
    envFrom.map(({ configMapRef }) => configMaps.find((map) => nameOf(map) === configMapRef?.name)?.data),
  );
  const variables = containersOf(of).flatMap(({ env = [] }) => env);
  return Object.assign(
    {},
    ...maps,
    Object.fromEntries(variables.map((variable) => [variable.name, valueOf(variable)])),
  ) as Record<string, string>;
}

function valueOf({ value, valueFrom }: EnvironmentVariable): string {
  if (value !== undefined) return value;
  const secret = valueFrom?.secretKeyRef;
  if (secret !== undefined) return secrets.get(secret.name ?? '')?.get(secret.key) ?? '';
  return valueFrom?.fieldRef?.fieldPath ?? '';
}

function volumesOf(of: WorkloadObject): (string | undefined)[] {
  const claims = of.kind === 'StatefulSet' ? (of.spec?.volumeClaimTemplates ?? []) : [];
  return [
    ...(podOf(of).volumes ?? []).map(({ name }) => name),
    ...claims.map(({ metadata }) => metadata?.name),
  ];
}

/** Names of the ConfigMaps that a pod mounts or takes variables from. */
function configMapsReadBy(of: WorkloadObject): (string | undefined)[] {
  return [
    ...(podOf(of).volumes ?? [])
      .filter(({ configMap }) => configMap !== undefined)
      .map(({ configMap }) => configMap?.name),
    ...containersOf(of).flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef?.name)),
  ];
}

describe('schemas', () => {
  it.each(objects.map((object): [string, KubernetesObject] => [title(object), object]))(
    '%s has no unknown or mistyped field',
    (_, object) => {
      expect(kubernetesProblems(object)).toEqual([]);
    },
  );

  it.each(patched)('the object patched by $path has none either', ({ result }) => {
    expect(kubernetesProblems(result)).toEqual([]);
  });

  it.each([
    ['an unknown field', { spec: { replica: 3 } }, 'replica'],
    ['a wrong type', { spec: { replicas: 'three' } }, 'replicas'],
    [
      'an unknown field of a container',
      { spec: { template: { spec: { containers: [{ name: 'gateway', imagePulPolicy: 'Always' }] } } } },
      'imagePulPolicy',
    ],
    [
      'an unknown field of a probe',
      {
        spec: {
          template: { spec: { containers: [{ name: 'gateway', livenessProbe: { httpGet: { pth: '/' } } }] } },
        },
      },
      'pth',
    ],
  ])('%s is caught and named', (_, change, name) => {
    const problems = kubernetesProblems(applyPatch(workload('gateway'), change) as WorkloadObject);
    expect(problems.join('\n')).toContain(name);
  });

  it('a kind without a schema is refused', () => {
    expect(kubernetesProblems({ kind: 'Gadget' })).toEqual(['no schema for the kind Gadget']);
  });
});

describe('kustomizations', () => {
  it.each([BASE, LOCAL_CPU])('%s names each of its files once', (folder) => {
    const { resources, patches = [] } = readKustomization(folder);
    const named = [
      ...resources.filter((resource) => !resource.startsWith('..')),
      ...patches.map(({ path }) => path),
    ];
    expect([...named, 'kustomization.yaml'].sort()).toEqual(filesBelow(folder));
  });

  it('the overlay stands on the base, and each of its patches meets an object and a container', () => {
    for (const resource of readKustomization(LOCAL_CPU).resources) {
      expect(exists(`${LOCAL_CPU}/${resource}/kustomization.yaml`)).toBe(true);
    }
    for (const { path, target, result } of patched) {
      expect(target, path).toBeDefined();
      expect(containersOf(result), path).toHaveLength(containersOf(workload(nameOf(result))).length);
    }
  });

  it('objects of one kind have names of their own', () => {
    const names = objects.map(title);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('references', () => {
  it.each(workloads.map((each): [string, WorkloadObject] => [title(each), each]))(
    '%s selects its own pods and nobody else’s',
    (_, each) => {
      const selector = each.spec?.selector.matchLabels ?? {};
      expect(workloads.filter((other) => selects(selector, podLabels(other))).map(nameOf)).toEqual([
        nameOf(each),
      ]);
    },
  );

  it.each(workloads.map((each): [string, WorkloadObject] => [title(each), each]))(
    '%s mounts and reads only what exists',
    (_, each) => {
      for (const { volumeMounts = [] } of containersOf(each)) {
        for (const { name } of volumeMounts) expect(volumesOf(each)).toContain(name);
      }
      for (const name of configMapsReadBy(each)) expect(configMaps.map(nameOf)).toContain(name);
      for (const { valueFrom } of containersOf(each).flatMap(({ env = [] }) => env)) {
        const { name = '', key = '' } = valueFrom?.secretKeyRef ?? {};
        if (name !== '') expect([...(secrets.get(name)?.keys() ?? [])], name).toContain(key);
      }
    },
  );

  it.each(ofKind(objects, 'Service').map((service): [string, typeof service] => [nameOf(service), service]))(
    'Service %s leads to a port of one workload',
    (_, service) => {
      const targets = workloads.filter((each) => selects(service.spec?.selector ?? {}, podLabels(each)));
      expect(targets).toHaveLength(1);
      const ports = targets.flatMap((each) =>
        containersOf(each).flatMap((container) => (container.ports ?? []).map(({ name }) => name)),
      );
      for (const { targetPort } of service.spec?.ports ?? []) expect(ports).toContain(targetPort);
    },
  );

  it('every StatefulSet has its headless Service', () => {
    const headless = ofKind(objects, 'Service').filter(({ spec }) => spec?.clusterIP === 'None');
    const wanted = ofKind(objects, 'StatefulSet').map(({ spec }) => spec?.serviceName);
    expect(headless.map(nameOf).sort()).toEqual(wanted.sort());
  });

  it('every workload has a disruption budget that selects it', () => {
    const budgets = ofKind(objects, 'PodDisruptionBudget').map(
      ({ spec }) => spec?.selector?.matchLabels ?? {},
    );
    for (const each of workloads) {
      expect(
        budgets.filter((selector) => selects(selector, podLabels(each))),
        nameOf(each),
      ).toHaveLength(1);
    }
  });

  it('urls in the environment lead to Services and their ports', () => {
    const addresses = ofKind(objects, 'Service').flatMap((service) =>
      (service.spec?.ports ?? []).map(({ port }) => `${nameOf(service)}:${port}`),
    );
    const urls = workloads.flatMap((each) =>
      Object.values(environment(each)).filter((value) => value.includes('://')),
    );
    expect(urls).not.toHaveLength(0);
    for (const url of urls) expect(addresses).toContain(new URL(url).host);
  });
});

describe('network', () => {
  const policies = ofKind(objects, 'NetworkPolicy');
  const labelsOf = (name: string): Record<string, string> => podLabels(workload(name));

  /** Do the policies let `from` open a connection to `to` on this port? Both ends must agree. */
  function reaches(from: string, to: string, port: number): boolean {
    const out = policies.some(
      ({ spec }) =>
        selects(spec?.podSelector?.matchLabels ?? {}, labelsOf(from)) &&
        (spec?.egress ?? []).some(
          (rule) =>
            (rule.to ?? []).some(
              ({ podSelector, namespaceSelector }) =>
                namespaceSelector === undefined && selects(podSelector?.matchLabels ?? {}, labelsOf(to)),
            ) && (rule.ports ?? []).some((each) => each.port === port),
        ),
    );
    const into = policies.some(
      ({ spec }) =>
        selects(spec?.podSelector?.matchLabels ?? {}, labelsOf(to)) &&
        (spec?.ingress ?? []).some(
          (rule) =>
            (rule.from ?? []).some(
              ({ podSelector, namespaceSelector }) =>
                namespaceSelector === undefined && selects(podSelector?.matchLabels ?? {}, labelsOf(from)),
            ) && (rule.ports ?? []).some((each) => each.port === port),
        ),
    );
    return out && into;
  }

  it('denies everything that no policy allows', () => {
    const denial = policies.find((policy) => nameOf(policy) === 'default-deny');
    expect(denial?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  it.each(WORKLOADS)('$name reaches NATS, and PostgreSQL only if it owns a schema', ({ name, database }) => {
    expect(reaches(name, 'nats', 4222)).toBe(true);
    expect(reaches(name, 'nats', 8222)).toBe(false);
    expect(reaches(name, 'postgres', 5432)).toBe(database !== undefined);
  });

  it('every policy selects at least one pod', () => {
    for (const policy of policies) {
      const selector = policy.spec?.podSelector?.matchLabels ?? {};
      expect(
        workloads.filter((each) => selects(selector, podLabels(each))),
        nameOf(policy),
      ).not.toHaveLength(0);
    }
  });
});

describe('pods', () => {
  it.each(workloads.map((each): [string, WorkloadObject] => [nameOf(each), each]))(
    '%s runs with the least rights',
    (_, each) => {
      const pod = podOf(each);
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext } of pod.containers) {
        expect(securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    },
  );

  it.each(workloads.map((each): [string, WorkloadObject] => [nameOf(each), each]))(
    '%s has three probes, requests, a memory limit and a pinned image',
    (_, each) => {
      for (const container of containersOf(each)) {
        const ports = (container.ports ?? []).map(({ name }) => name);
        for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
          expect(probe).toBeDefined();
          if (probe?.httpGet !== undefined) expect(ports).toContain(probe.httpGet.port);
        }
        expect(container.resources?.requests).toMatchObject({ cpu: expect.anything() as unknown });
        expect(container.resources?.limits).toMatchObject({ memory: expect.anything() as unknown });
        expect(Object.values<string | undefined>(IMAGES)).toContain(container.image);
        expect(container.image).toMatch(/:[\w.-]*\d/);
      }
    },
  );
});

describe('services', () => {
  it('are Deployments: four services, one of them in two roles', () => {
    expect(
      ofKind(objects, 'Deployment')
        .map((each) => nameOf(each))
        .sort(),
    ).toEqual(['gateway', 'metrics-svc', 'student-control', 'student-worker', 'teacher-svc']);
  });

  it.each(WORKLOADS)('$name starts a program of the repository and has time to drain', (each) => {
    expect(containersOf(workload(each.name)).map(({ args }) => args)).toEqual([[programEntry(each)]]);
    expect(exists(`apps/${each.program}/package.json`)).toBe(true);
    expect(podOf(workload(each.name)).terminationGracePeriodSeconds).toBe(STOP_GRACE_SECONDS);
  });

  it.each(WORKLOADS)(
    '$name is set up by variables that it reads, with values that it takes',
    async (each) => {
      expect(await environmentProblems(each.program, environment(workload(each.name)))).toEqual([]);
    },
  );

  it('a variable that nobody reads, and a value that is refused, are named', async () => {
    const given = environment(workload('gateway'));
    expect(await environmentProblems('gateway', { ...given, FIDELIS_GRAFIQL: 'true' })).toEqual([
      'gateway does not read FIDELIS_GRAFIQL',
    ]);
    const [problem] = await environmentProblems('gateway', { ...given, FIDELIS_NATS_URL: 'http://nats' });
    expect(problem).toContain('FIDELIS_NATS_URL');
  });

  it.each(WORKLOADS)('$name is so in the local overlay, too', async (each) => {
    const local = patched.find(({ result }) => nameOf(result) === each.name);
    expect(local).toBeDefined();
    if (local !== undefined) {
      expect(await environmentProblems(each.program, environment(local.result))).toEqual([]);
    }
  });
});
