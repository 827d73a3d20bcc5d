export { cacheDir, dataDir, ensureWritableDirectory } from './directories.js';
export { findNatsServer, MIN_NATS_VERSION, type NatsBinary, PINNED_NATS_VERSION } from './nats-binary.js';
export { NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.js';
export { assertPortFree, freePort, isPortFree } from './ports.js';
export { findPostgres, MIN_POSTGRES_VERSION, type PostgresBinaries } from './postgres-binaries.js';
export { PostgresServer, type PostgresServerOptions, startPostgres } from './postgres-server.js';
export type { ProcessExit } from './server-process.js';
export { executeSql } from './sql.js';
