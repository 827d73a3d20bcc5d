import { fileURLToPath } from 'node:url';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const typed = new ESLint({ cwd: ROOT });
/** Without the rules that need types, which cost a program for every text. */
const untyped = new ESLint({
  cwd: ROOT,
  overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config,
});

/** What the project's own configuration has against `text`, were it the content of this file, which must exist. */
async function errorsOf(eslint: ESLint, file: string, text: string, rule: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: `${ROOT}${file}` });
  if (result === undefined) throw new Error(`ESLint ignores ${file}`);
  const fatal = result.messages.find((message) => message.fatal === true);
  if (fatal !== undefined) throw new Error(`${file} could not be linted: ${fatal.message}`);
  return result.messages
    .filter(({ ruleId, severity }) => ruleId === rule && severity === 2)
    .map(({ message }) => message);
}

const importOf = (module: string): string =>
  `import * as it from '${module}';\nexport const keys = Object.keys(it);\n`;

const BOUNDARIES = '@nx/enforce-module-boundaries';

describe('the boundary rule', () => {
  it.each([
    ['contracts imports nothing of ours', 'libs/contracts/src/index.ts', '@fidelis/bus'],
    ['contracts imports nothing of ours', 'libs/contracts/src/index.ts', '@fidelis/data'],
    ['contracts imports no framework', 'libs/contracts/src/index.ts', '@nestjs/common'],
    ['fidelity imports no Nest', 'libs/fidelity/src/index.ts', '@nestjs/common'],
    ['fidelity imports no tensors', 'libs/fidelity/src/index.ts', '@tensorflow/tfjs-core'],
    ['fidelity imports no other room', 'libs/fidelity/src/index.ts', '@fidelis/data'],
    ['data imports no NATS', 'libs/data/src/index.ts', '@nats-io/transport-node'],
    ['data imports no bus', 'libs/data/src/index.ts', '@fidelis/bus'],
    ['archive imports no bus', 'libs/archive/src/index.ts', '@fidelis/bus'],
    ['distillation imports no TypeORM', 'libs/distillation/src/index.ts', 'typeorm'],
    ['distillation imports no backend', 'libs/distillation/src/index.ts', '@fidelis/compute'],
    ['models imports no Nest', 'libs/models/src/index.ts', '@nestjs/core'],
    ['models imports no persistence', 'libs/models/src/index.ts', '@fidelis/persistence'],
    ['only compute imports a backend', 'libs/models/src/index.ts', '@tensorflow/tfjs-node'],
    ['only compute imports a backend', 'libs/bus/src/index.ts', '@tensorflow/tfjs-backend-wasm'],
    ['only compute imports a backend', 'apps/student-svc/src/app.ts', '@tensorflow/tfjs-node'],
    ['only compute imports a backend', 'libs/models/src/forward.spec.ts', '@tensorflow/tfjs-node'],
    ['compute imports no Nest', 'libs/compute/src/index.ts', '@nestjs/common'],
    ['an app imports no app', 'apps/cli/src/main.ts', '@fidelis/gateway'],
    ['an app imports no app', 'apps/metrics-svc/src/app.ts', '@fidelis/gateway'],
    ['a library imports no app', 'libs/observability/src/index.ts', '@fidelis/gateway'],
    ['only tests import testing', 'apps/metrics-svc/src/app.ts', '@fidelis/testing'],
    ['nobody reaches into a package', 'apps/metrics-svc/src/app.ts', '../../../libs/data/src/index.js'],
  ])('%s: %s may not import %s', async (_, file, module) => {
    expect(await errorsOf(untyped, file, importOf(module), BOUNDARIES)).toHaveLength(1);
  });

  it.each([
    ['libs/contracts/src/index.ts', 'zod'],
    ['libs/data/src/index.ts', '@fidelis/contracts'],
    ['libs/models/src/index.ts', '@tensorflow/tfjs-core'],
    ['libs/models/src/forward.spec.ts', '@fidelis/compute'],
    ['libs/compute/src/index.ts', '@tensorflow/tfjs-backend-wasm'],
    ['libs/bus/src/index.ts', '@nats-io/transport-node'],
    ['libs/persistence/src/index.ts', 'typeorm'],
    ['apps/metrics-svc/src/app.ts', '@fidelis/fidelity'],
    ['apps/student-svc/src/app.ts', '@nestjs/common'],
    ['apps/student-svc/src/worker/run-training.ts', '@fidelis/compute'],
    ['test/lint/boundaries.spec.ts', '@fidelis/gateway'],
  ])('%s may import %s', async (file, module) => {
    expect(await errorsOf(untyped, file, importOf(module), BOUNDARIES)).toEqual([]);
  });
});

describe('the environment', () => {
  const reading = `export const home = process.env['HOME'];\n`;

  it.each(['apps/student-svc/src/app.ts', 'apps/cli/src/program.ts', 'libs/bus/src/index.ts'])(
    'is not read in %s',
    async (file) => {
      expect(await errorsOf(untyped, file, reading, 'no-restricted-properties')).toHaveLength(1);
      const imported = `import { env } from 'node:process';\nexport const home = env['HOME'];\n`;
      expect(await errorsOf(untyped, file, imported, 'no-restricted-imports')).toHaveLength(1);
    },
  );

  it.each(['apps/student-svc/src/config.ts', 'apps/cli/src/main.ts', 'libs/embedded/src/directories.ts'])(
    'is read in %s',
    async (file) => {
      expect(await errorsOf(untyped, file, reading, 'no-restricted-properties')).toEqual([]);
    },
  );
});

describe('the rules of the code', () => {
  it.each([
    ['any', '@typescript-eslint/no-explicit-any', 'export const value: any = 1;\n'],
    [
      'a non-null assertion',
      '@typescript-eslint/no-non-null-assertion',
      'export function first(values: string[]): string {\n  return values[0]!;\n}\n',
    ],
    [
      'a promise that nobody waits for',
      '@typescript-eslint/no-floating-promises',
      'async function work(): Promise<void> {}\nwork();\n',
    ],
    [
      'a switch that forgets a case',
      '@typescript-eslint/switch-exhaustiveness-check',
      `export function of(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n}\n`,
    ],
    [
      'an exported function without its type',
      '@typescript-eslint/explicit-module-boundary-types',
      'export function one() {\n  return 1;\n}\n',
    ],
    [
      'an error that loses its cause',
      'preserve-caught-error',
      `export function read(work: () => void): void {\n  try {\n    work();\n  } catch (error) {\n    throw new Error('it failed');\n  }\n}\n`,
    ],
    ['a line on the console', 'no-console', `console.log('here');\nexport {};\n`],
  ])('%s is an error', async (_, rule, text) => {
    expect(await errorsOf(typed, 'libs/contracts/src/index.ts', text, rule)).toHaveLength(1);
  });
});
