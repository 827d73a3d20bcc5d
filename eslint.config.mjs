import js from '@eslint/js';
import { createProjectGraphAsync } from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// The boundary rule reads the graph of projects that Nx has cached and judges nothing where there is none: it is made here (0.5 s), in
// this process, so that `eslint .`, an editor and a clean clone all see the same.
process.env['NX_DAEMON'] = 'false';
process.env['NX_ISOLATE_PLUGINS'] = 'false';
await createProjectGraphAsync({ exitOnError: false });

const frameworks = ['@nestjs/*', '@nats-io/*', 'typeorm', 'fastify', 'mercurius'];
const backends = [
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
  '@tensorflow/tfjs-backend-*',
  '@tensorflow/tfjs',
];

/** The rules of the house (architecture §2): who may import whom. */
const boundaries = [
  {
    sourceTag: 'type:contracts',
    onlyDependOnLibsWithTags: ['type:contracts'],
    bannedExternalImports: [...frameworks, ...backends],
  },
  {
    sourceTag: 'type:metric',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:metric'],
    bannedExternalImports: [...frameworks, '@tensorflow/*'],
  },
  {
    sourceTag: 'type:domain',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:domain', 'type:metric'],
    bannedExternalImports: [...frameworks, ...backends],
  },
  {
    sourceTag: 'type:compute',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:domain'],
    bannedExternalImports: frameworks,
  },
  {
    sourceTag: 'type:infra',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:domain', 'type:infra', 'type:compute'],
    bannedExternalImports: backends,
  },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:domain', 'type:metric', 'type:compute', 'type:infra'],
    bannedExternalImports: backends,
  },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['*'], bannedExternalImports: backends },
  { sourceTag: 'type:test', onlyDependOnLibsWithTags: ['*'], bannedExternalImports: backends },
  {
    sourceTag: 'type:deploy',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:infra'],
    bannedExternalImports: backends,
  },
];

/** What a library may not see its tests may: models and losses are tested on real backends, and everything on real servers. */
const specBoundaries = boundaries.map((constraint) =>
  constraint.onlyDependOnLibsWithTags.includes('*')
    ? constraint
    : {
        ...constraint,
        onlyDependOnLibsWithTags: [
          ...constraint.onlyDependOnLibsWithTags,
          ...(constraint.sourceTag === 'type:domain' ? ['type:compute'] : []),
          'type:testing',
        ],
      },
);

function moduleBoundaries(depConstraints) {
  return [
    'error',
    { allow: [], enforceBuildableLibDependency: false, banTransitiveDependencies: false, depConstraints },
  ];
}

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', 'deploy/generated/**', 'test/lint/fixtures/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': moduleBoundaries(boundaries),
      'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/require-await': 'off',
      // A constructor-injected class must stay a value import, or Nest loses its metadata: types are not rewritten.
      '@typescript-eslint/consistent-type-imports': 'off',
      'preserve-caught-error': 'error',
      complexity: ['error', 15],
      'max-depth': ['error', 4],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  {
    // One place per app reads the environment: its config file, or, where the config is given it, its entry point. `embedded` and
    // `compute` start programs, which inherit an environment.
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: [
      'apps/*/src/config.ts',
      'apps/*/src/main.ts',
      '**/*.spec.ts',
      'libs/embedded/**',
      'libs/testing/**',
      'libs/compute/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: "Read it in the app's config schema." },
      ],
      'no-restricted-imports': [
        'error',
        ...['process', 'node:process'].map((name) => ({
          name,
          importNames: ['env'],
          message: "Read it in the app's config schema.",
        })),
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'libs/testing/**/*.ts'],
    rules: {
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': 'off',
      '@nx/enforce-module-boundaries': moduleBoundaries(specBoundaries),
    },
  },
  {
    files: ['**/*.{mjs,js}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        performance: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
  { files: ['tools/**/*.mjs', 'apps/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  prettier,
);
