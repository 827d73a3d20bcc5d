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
    // Some hooks hold the undisturbed runs that a test compares with.
    hookTimeout: 300_000,
    // Each file has a whole stack of its own, which mostly waits: for what was paused, and for what comes again after its time.
    maxWorkers: 2,
    server,
    reporters: ['verbose', './test/fault/harness/outcome-table.ts'],
  },
});
