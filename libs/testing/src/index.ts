export { createTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.js';
export { startTestNats, type TestNats } from './test-nats.js';
export {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from './test-postgres.js';
export { waitFor, type WaitOptions } from './wait-for.js';
