import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import { Client } from 'pg';
import { LocalServer } from './local-server.js';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.js';
import {
  type Cluster,
  openCluster,
  releaseCluster,
  serverEnvironment,
  SUPERUSER,
} from './postgres-cluster.js';
import { assertPortFree, freePort } from './ports.js';
import {
  describeExit,
  endProcess,
  lastLines,
  type ProcessExit,
  type ServerProcess,
  startServerProcess,
} from './server-process.js';

const HOST = '127.0.0.1';
/** Recovery after a crash takes longer than a plain start. */
const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 20_000;
const POLL_MS = 50;
const LAUNCH_ATTEMPTS = 5;

export interface PostgresServerOptions {
  /** Holds the cluster and its password; created if missing. What is there is kept. */
  readonly dataDir: string;
  /** @default a free one */
  readonly port?: number;
  /** @default findPostgres() */
  readonly binaries?: PostgresBinaries;
  /** @default postgres.log in the data directory */
  readonly logFile?: string;
  /** Server parameters, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL server, without a Unix socket. Stopping rolls open transactions back; everything committed is on disk. */
export class PostgresServer extends LocalServer {
  private constructor(
    private readonly options: PostgresServerOptions,
    private readonly binaries: PostgresBinaries,
    private readonly cluster: Cluster,
    server: ServerProcess,
    port: number,
  ) {
    const { version } = binaries;
    super(
      { version, logFile: logFileOf(options), stopSignal: 'SIGINT', stopGraceMs: STOP_GRACE_MS },
      server,
      port,
    );
  }

  static async start(options: PostgresServerOptions): Promise<PostgresServer> {
    const binaries = options.binaries ?? (await findPostgres());
    if (options.port !== undefined) await assertPortFree(options.port);
    const cluster = await openCluster(options.dataDir, binaries);
    const { server, port } = await launch(options, binaries, cluster);
    return new PostgresServer(options, binaries, cluster, server, port);
  }

  /** Connection string of the superuser. */
  url(database = 'postgres'): string {
    return connectionString(this.port, SUPERUSER, this.cluster.password, database);
  }

  /** Connection string of another login role. */
  urlFor(role: string, password: string, database: string): string {
    return connectionString(this.port, role, password, database);
  }

  protected async launchAgain(): Promise<ServerProcess> {
    const { server } = await launch({ ...this.options, port: this.port }, this.binaries, this.cluster);
    return server;
  }
}

/**
 * Starts PostgreSQL and waits until it takes connections.
 * @throws SETUP.MISSING, PORT.IN_USE, STORAGE.UNWRITABLE, STACK.ALREADY_RUNNING, DATABASE.UNAVAILABLE
 */
export function startPostgres(options: PostgresServerOptions): Promise<PostgresServer> {
  return PostgresServer.start(options);
}

const logFileOf = (options: PostgresServerOptions): string =>
  options.logFile ?? join(options.dataDir, 'postgres.log');

const connectionString = (port: number, role: string, password: string, database: string): string =>
  `postgres://${encodeURIComponent(role)}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(database)}`;

/** Tries again with another free port if one was taken meanwhile, and over what a killed server has left behind. */
async function launch(
  options: PostgresServerOptions,
  binaries: PostgresBinaries,
  cluster: Cluster,
): Promise<{ server: ServerProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    await releaseCluster(cluster.directory);
    const port = options.port ?? (await freePort());
    const server = await startServerProcess({
      command: join(binaries.binDir, 'postgres'),
      args: ['-D', cluster.directory, ...parameters(port, options.settings)],
      logFile: logFileOf(options),
      deathSignal: 'SIGINT',
      env: serverEnvironment(),
      ...(cluster.user === undefined ? {} : { user: cluster.user }),
    });
    const failure = await untilReady(server, connectionString(port, SUPERUSER, cluster.password, 'postgres'));
    if (failure === undefined) return { server, port };
    await endProcess(server, { signal: 'SIGQUIT', graceMs: 2_000 });
    const lines = (await lastLines(logFileOf(options), 10)).join('\n');
    const passing =
      /address already in use|pre-existing shared memory block|lock file .* already exists/i.test(lines);
    if (!passing || attempt === LAUNCH_ATTEMPTS) {
      throw new FidelisError(
        'DATABASE.UNAVAILABLE',
        `PostgreSQL ${failure}; its log is ${logFileOf(options)}:\n${lines}`,
        {
          details: { logFile: logFileOf(options) },
          retryable: false,
        },
      );
    }
    await delay(200 * attempt);
  }
}

function parameters(port: number, settings: Readonly<Record<string, string>> = {}): string[] {
  const all = {
    listen_addresses: HOST,
    port: String(port),
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '32MB',
    log_min_messages: 'warning',
    timezone: 'UTC',
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Undefined once a connection was made; else why there will be none. */
async function untilReady(server: ServerProcess, url: string): Promise<string | undefined> {
  let exit: ProcessExit | undefined;
  void server.exited.then((value) => (exit = value));
  const deadline = Date.now() + START_DEADLINE_MS;
  let last = 'no answer';
  while (exit === undefined && Date.now() < deadline) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return undefined;
    } catch (error) {
      last = (error as Error).message;
      if ((error as { code?: string }).code === '28P01') return `does not know its password (${last})`;
      await client.end().catch(() => undefined);
    }
    await delay(POLL_MS);
  }
  return exit === undefined
    ? `did not answer within ${START_DEADLINE_MS} ms (${last})`
    : `ended with ${describeExit(exit)}`;
}
