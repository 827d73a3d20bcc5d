import { IMAGES, programEntry, STOP_GRACE_SECONDS, WORKLOADS } from '@fidelis/deploy';
import { DockerfileParser } from 'dockerfile-ast';
import { describe, expect, it } from 'vitest';
import { exists, readText, readYaml } from './deploy-files.js';
import { composeProblems } from './schema-check.js';
import { environmentProblems } from './service-config.js';

interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = readYaml('deploy/compose.yaml') as ComposeFile;
const services = Object.entries(compose.services);

function service(name: string): ComposeService {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

/** The environment with each `${VARIABLE:-default}` at its default. */
function environment(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(service(name).environment ?? {}).map(([variable, value]) => [
      variable,
      value.replace(/\$\{\w+:-([^}]*)\}/g, '$1'),
    ]),
  );
}

describe('compose.yaml', () => {
  it('keeps to the Compose specification', () => {
    expect(composeProblems(compose)).toEqual([]);
  });

  it('is checked strictly: an unknown field is caught and named', () => {
    const changed = {
      ...compose,
      services: { ...compose.services, gateway: { ...service('gateway'), depend_on: [] } },
    };
    expect(composeProblems(changed).join('\n')).toContain('depend_on');
  });

  it('runs the four services, NATS, PostgreSQL, Prometheus and Grafana', () => {
    const others = ['nats', 'postgres', 'prometheus', 'grafana'];
    expect(services.map(([name]) => name).sort()).toEqual(
      [...WORKLOADS.map(({ name }) => name), ...others].sort(),
    );
  });

  it.each(services)('%s runs the pinned image that deploy/src names', (_, { image }) => {
    expect(Object.values<string>(IMAGES)).toContain(image);
  });

  it.each(services)(
    '%s mounts only files that exist and volumes that are declared',
    (_, { volumes = [] }) => {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(exists(`deploy/${source}`), source).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    },
  );

  it.each(services)('%s waits only for services whose health is known', (_, { depends_on = {} }) => {
    const image = DockerfileParser.parse(readText('deploy/Dockerfile'));
    const imageIsChecked = image.getInstructions().some((each) => each.getKeyword() === 'HEALTHCHECK');
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect(condition).toBe('service_healthy');
      const awaited = service(name);
      expect(awaited.healthcheck !== undefined || (awaited.build !== undefined && imageIsChecked)).toBe(true);
    }
  });

  it.each(services)('%s publishes on loopback alone', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(WORKLOADS)(
    '$name is built from the repository, starts its program and has time to drain',
    (workload) => {
      const { build, command, stop_grace_period: grace } = service(workload.name);
      expect(exists(`deploy/${build?.context ?? ''}/${build?.dockerfile ?? ''}`)).toBe(true);
      expect(command).toEqual([programEntry(workload)]);
      expect(grace).toBe(`${STOP_GRACE_SECONDS}s`);
    },
  );

  it.each(WORKLOADS)(
    '$name is set up by variables that it reads, with values that it takes',
    async ({ name, program }) => {
      expect(await environmentProblems(program, environment(name))).toEqual([]);
    },
  );

  it('urls in the environment lead to services', () => {
    const urls = services.flatMap(([name]) =>
      Object.values(environment(name)).filter((value) => value.includes('://')),
    );
    expect(urls).not.toHaveLength(0);
    for (const url of urls) expect(Object.keys(compose.services)).toContain(new URL(url).hostname);
  });

  it('gives PostgreSQL each password that its first start reads, and the services the same ones', () => {
    const given = environment('postgres');
    const wanted = [...readText('deploy/generated/postgres/init.sql').matchAll(/^\\getenv \w+ (\w+)$/gm)];
    expect(wanted).toHaveLength(3);
    for (const [, variable = ''] of wanted) expect(given).toHaveProperty(variable);
    for (const { name, database } of WORKLOADS) {
      if (database === undefined) continue;
      const url = new URL(environment(name)['FIDELIS_DATABASE_URL'] ?? '');
      expect(url.username).toBe(database);
      expect(url.password).toBe(given[`FIDELIS_${database.toUpperCase()}_PASSWORD`]);
      expect(url.pathname).toBe(`/${given['POSTGRES_DB'] ?? ''}`);
    }
  });
});

describe('prometheus.yaml', () => {
  it('scrapes each service at its port', () => {
    const { scrape_configs: jobs } = readYaml('deploy/generated/prometheus/prometheus.yaml') as {
      scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    expect(
      jobs.flatMap(({ dns_sd_configs: targets }) => targets.map(({ names, port }) => ({ names, port }))),
    ).toEqual(
      WORKLOADS.map(({ name }) => ({ names: [name], port: Number(environment(name)['FIDELIS_HTTP_PORT']) })),
    );
  });
});
