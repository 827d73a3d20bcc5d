import { setTimeout as delay } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import { DataSource, QueryRunnerAlreadyReleasedError, type DataSourceOptions } from 'typeorm';
import { OutboxMessage } from './outbox-message.entity.js';
import { CreateOutbox } from './create-outbox.migration.js';

export interface DatabaseOptions {
  readonly url: string;
  /** The service's own schema; nobody else reads it. */
  readonly schema: string;
  readonly entities: readonly NewableFunction[];
  /** Classes and not globs: paths differ between source and build. */
  readonly migrations: readonly NewableFunction[];
  /** Told of each failed attempt while the database is away at start. */
  readonly onRetry?: (error: Error) => void;
  /** @default 60 000 */
  readonly startDeadlineMs?: number;
  /**
   * A transaction in which nothing is asked for so long is undone by the server: its process is paused or cut off, and would hold the rows that it
   * has locked, and everybody who wants them, until it is back. Longer than what is done on the bus within one takes. @default 15 000
   */
  readonly idleTransactionMs?: number;
}

const RETRY_MS = 500;
const IDLE_TRANSACTION_MS = 15_000;

/**
 * Connects, creates the schema where it is missing and runs the migrations, one replica at a time.
 *
 * @throws FidelisError DATABASE.UNAVAILABLE if there is no database until the deadline
 */
export async function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  const deadline = Date.now() + (options.startDeadlineMs ?? 60_000);
  for (;;) {
    try {
      return await connectAndMigrate(options);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (Date.now() >= deadline) throw unavailable(options.url, error);
      options.onRetry?.(error as Error);
      await delay(RETRY_MS);
    }
  }
}

async function connectAndMigrate(options: DatabaseOptions): Promise<DataSource> {
  const dataSource = new DataSource(dataSourceOptions(options));
  try {
    await dataSource.initialize();
    await migrate(dataSource, options.schema);
    return dataSource;
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    throw error;
  }
}

function dataSourceOptions(options: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    entities: [OutboxMessage, ...options.entities] as never,
    migrations: [CreateOutbox, ...options.migrations] as never,
    migrationsTransactionMode: 'all',
    synchronize: false,
    // What fails is thrown, and logged as JSON by whoever catches it; TypeORM's own lines would be text between the JSON lines.
    logging: false,
    extra: {
      // Migrations and hand-written SQL name their tables without the schema.
      options: `-c search_path=${options.schema} -c idle_in_transaction_session_timeout=${options.idleTransactionMs ?? IDLE_TRANSACTION_MS}`,
      max: 10,
      connectionTimeoutMillis: 5_000,
    },
  };
}

/** Two replicas that migrate together would crash one of them: an advisory lock lets one go first. */
async function migrate(dataSource: DataSource, schema: string): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.connect();
    await runner.query('SELECT pg_advisory_lock(hashtext($1))', [`fidelis.migrate.${schema}`]);
    try {
      const found = (await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
        schema,
      ])) as unknown[];
      // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create one even where it exists.
      if (found.length === 0) await runner.query(`CREATE SCHEMA "${schema}"`);
      await dataSource.runMigrations();
    } finally {
      await runner.query('SELECT pg_advisory_unlock(hashtext($1))', [`fidelis.migrate.${schema}`]);
    }
  } finally {
    await runner.release();
  }
}

const NETWORK_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
]);
/** PostgreSQL: shutting down, starting up, cannot connect now, too many connections; a transaction that was idle for too long. */
const SERVER_AWAY = new Set(['25P03', '57P01', '57P02', '57P03', '53300', '08000', '08003', '08006']);

/** True if the database is away and the same statement can succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (!(error instanceof Error)) return false;
  // Its connection ended between two statements of a transaction.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== undefined && (NETWORK_ERRORS.has(code) || SERVER_AWAY.has(code))) return true;
  if (
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      error.message,
    )
  ) {
    return true;
  }
  return isUnavailable((error as { driverError?: unknown }).driverError);
}

/** Gives errors of an absent database the code that makes the bus keep the message until the database is back. */
export async function withDatabaseErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new FidelisError('DATABASE.UNAVAILABLE', 'the database is away; this will be tried again', {
      cause: error,
    });
  }
}

function unavailable(url: string, cause: unknown): FidelisError {
  const { host } = new URL(url);
  return new FidelisError(
    'DATABASE.UNAVAILABLE',
    `no PostgreSQL answers at ${host}: start it, or set FIDELIS_DATABASE_URL to one that runs`,
    { cause },
  );
}
