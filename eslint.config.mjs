import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

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
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'type:test', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'type:deploy', onlyDependOnLibsWithTags: ['type:contracts', 'type:infra'] },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', 'deploy/generated/**', 'test/lint/fixtures/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx, 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          enforceBuildableLibDependency: false,
          banTransitiveDependencies: false,
          depConstraints: boundaries,
        },
      ],
      'import-x/no-cycle': 'off',
      'import-x/no-duplicates': 'error',
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
    // Only an app's config file, the entry points that hand it over, and tests read the environment.
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: [
      '**/config.ts',
      '**/main.ts',
      '**/*.spec.ts',
      '**/*.child.ts',
      'libs/embedded/**',
      'libs/testing/**',
      'libs/compute/**',
      'apps/cli/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: "Read it in the app's config schema." },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'libs/testing/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off', 'max-lines': 'off' },
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
