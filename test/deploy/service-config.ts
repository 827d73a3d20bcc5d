import { pathToFileURL } from 'node:url';
import { loadConfig } from '@fidelis/observability';
import { REPOSITORY } from './deploy-files.js';

type Environment = Readonly<Record<string, string>>;
type ConfigReader = (environment: Environment) => object;

/** What is wrong with an environment, by the service's own schema: a variable that it does not read, or a value that it refuses. */
export async function environmentProblems(program: string, environment: Environment): Promise<string[]> {
  const read = await configReader(program);
  try {
    // Schemas keep what they know, so what is not in the result was not read.
    const known = Object.keys(read(environment));
    return Object.keys(environment)
      .filter((name) => !known.includes(name))
      .map((name) => `${program} does not read ${name}`);
  } catch (error) {
    return [String(error)];
  }
}

/** A service's config.ts exports its schema as `configSchema`, or a function that takes the environment. */
async function configReader(program: string): Promise<ConfigReader> {
  const module = (await import(pathToFileURL(`${REPOSITORY}${configPath(program)}`).href)) as Record<
    string,
    unknown
  >;
  if ('configSchema' in module) {
    const schema = module['configSchema'] as Parameters<typeof loadConfig>[0];
    return (environment) => loadConfig(schema, environment) as object;
  }
  const reader = Object.values(module).find((member) => typeof member === 'function' && member.length === 1);
  if (reader === undefined) throw new Error(`${configPath(program)} exports no way to check an environment`);
  return reader as ConfigReader;
}

function configPath(program: string): string {
  return `apps/${program}/src/config.ts`;
}
