import { defineConfig } from 'vitest/config';
import { resolve, server } from './vitest.config.js';

/** All faults: `npm run test:fault`. A quick part of them is in `npm test`. */
export default defineConfig({
  resolve,
  ssr: { resolve },
  test: {
    name: 'fault',
    include: ['test/fault/**/*.spec.ts'],
    testTimeout: 300_000,
    hookTimeout: 180_000,
    // Each starts a whole stack of its own.
    fileParallelism: false,
    server,
    reporters: ['verbose', './test/fault/harness/outcome-table.ts'],
  },
});
