import { defineConfig } from 'vitest/config';

export const resolve = {
  conditions: ['@fidelis/source'],
  // graphql tells its classes apart by identity: the module that Node loads for packages, not the bundlers' second copy.
  alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
};
// Workspace packages are source here, not built code: they are transformed like the tests.
export const server = { deps: { inline: [/@fidelis\//] } };

export default defineConfig({
  test: {
    // Two cores: the servers and child processes of one suite fill them.
    maxWorkers: 2,
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'unit',
          include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'tools/**/*.spec.mjs', 'deploy/**/*.spec.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 20_000,
          server,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'integration',
          include: ['test/{integration,deploy,lint,parity}/**/*.spec.ts'],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          server,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'e2e',
          // Of the faults, only the quick ones: all of them are in vitest.fault.config.ts.
          include: ['test/e2e/**/*.spec.ts', 'test/fault/*.spec.ts', 'test/fault/harness/*.spec.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          // Each starts a whole stack of its own.
          fileParallelism: false,
          server,
        },
      },
    ],
  },
});
