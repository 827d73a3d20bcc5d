import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { asStorageError, ensureWritableDirectory } from './directories.js';
import { fidelisServices } from './fidelis-services.js';
import { type NatsServer, startNatsServer } from './nats-server.js';
import { assertPortFree, freePort, isPortFree } from './ports.js';
import { type PostgresServer, startPostgres } from './postgres-server.js';
import { lastLines } from './server-process.js';
import { GATEWAY, type ServiceDefinition } from './service-definition.js';
import { launchService } from './service-process.js';
import { provisionDatabase } from './stack-database.js';
import { StackLock } from './stack-lock.js';
import {
  type Incarnation,
  type ProgramEvent,
  type ProgramState,
  type RestartPolicy,
  Supervised,
} from './supervised.js';

const HOST = '127.0.0.1';
/** Streams, database and logs of a few runs. */
const MIN_FREE_BYTES = 256 * 2 ** 20;
const LOG_TAIL_LINES = 20;

export interface StackOptions {
  /** Holds streams, database and logs; created if missing. */
  readonly dataDir: string;
  /** In the order in which they are stopped. @default fidelisServices({ gpu }) */
  readonly services?: readonly ServiceDefinition[];
  /** Also a worker on the GPU, where the teachers then train and score. @default false */
  readonly gpu?: boolean;
  /** @default a free one */
  readonly gatewayPort?: number;
  /** For all services, over this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onEvent?: (event: ProgramEvent) => void;
  /** Stops the stack, also in the middle of its start. */
  readonly signal?: AbortSignal;
  /** Ends at once what still runs, also in the middle of the start. */
  readonly hurry?: AbortSignal;
  readonly restartPolicy?: RestartPolicy;
  /** Refuses to start with less room than this. @default 256 MiB */
  readonly minFreeBytes?: number;
}

export interface ServiceStatus {
  readonly name: string;
  readonly state: ProgramState;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Of a service; a server has none. */
  readonly url: string | undefined;
  readonly logFile: string;
}

/**
 * Starts nats-server, PostgreSQL and the services as child processes on loopback and resolves when all are ready. What was started is
 * stopped again if that fails.
 * @throws STACK.ALREADY_RUNNING, STORAGE.UNWRITABLE, PORT.IN_USE, SETUP.MISSING, STACK.SERVICE_FAILED
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dataDir = resolve(options.dataDir);
  const services = options.services ?? fidelisServices({ gpu: options.gpu ?? false });
  for (const { entry, name } of services) {
    if (existsSync(entry)) continue;
    throw new FidelisError(
      'SETUP.MISSING',
      `${name} has not been built (${entry} is missing): run npm run setup`,
      {
        details: { service: name, entry },
      },
    );
  }
  if (options.gatewayPort !== undefined) await assertPortFree(options.gatewayPort, HOST);
  await ensureWritableDirectory(dataDir, { minFreeBytes: options.minFreeBytes ?? MIN_FREE_BYTES });
  await letOthersPass(dataDir);
  const lock = await StackLock.acquire(dataDir);
  const stack = new Stack(dataDir, lock, options, services);
  options.signal?.addEventListener('abort', () => void stack.stop(), { once: true });
  options.hurry?.addEventListener('abort', () => void stack.stop({ force: true }), { once: true });
  try {
    options.signal?.throwIfAborted();
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** As root, PostgreSQL runs as another user who must be able to pass through the data directory, though not to read it. */
async function letOthersPass(dataDir: string): Promise<void> {
  const { mode, uid } = await stat(dataDir);
  if (process.getuid?.() === 0 && uid === 0 && (mode & 0o011) !== 0o011)
    await chmod(dataDir, (mode & 0o777) | 0o011);
}

/** The running stack. */
export class Stack {
  private readonly programs = new Map<string, Supervised>();
  private readonly urls = new Map<string, string>();
  private nats: NatsServer | undefined;
  private postgres: PostgresServer | undefined;
  private stopped: Promise<void> | undefined;
  private reportFailure: (error: FidelisError) => void = () => undefined;
  /** Resolves if a program ended too often and was given up. */
  readonly failed: Promise<FidelisError>;

  constructor(
    readonly dataDir: string,
    private readonly lock: StackLock,
    private readonly options: StackOptions,
    private readonly definitions: readonly ServiceDefinition[],
  ) {
    this.failed = new Promise((settle) => (this.reportFailure = settle));
  }

  get gatewayUrl(): string {
    return this.urls.get(GATEWAY) ?? '';
  }

  get natsUrl(): string {
    return this.nats?.url ?? '';
  }

  get services(): readonly ServiceStatus[] {
    return [...this.programs.values()].map(({ status }) => ({
      ...status,
      url: this.urls.get(status.name),
      logFile: this.logFile(status.name),
    }));
  }

  async start(): Promise<void> {
    await this.prepareLogs();
    await Promise.all([
      this.supervise('nats-server', () => this.launchNats()),
      this.supervise('postgresql', () => this.launchPostgres()),
    ]);
    const { nats, postgres } = this;
    if (nats === undefined || postgres === undefined)
      throw new FidelisError('INTERNAL', 'a server is ready but not there');
    const schemas = this.definitions.flatMap(({ schema }) => (schema === undefined ? [] : [schema]));
    const databases = await provisionDatabase(postgres, [...new Set(schemas)]);
    await Promise.all(
      this.definitions.map((definition) =>
        this.supervise(definition.name, () => this.launchOne(definition, nats.url, databases)),
      ),
    );
    await this.lock.publish({ gatewayUrl: this.gatewayUrl, natsUrl: nats.url });
  }

  /**
   * Ends the services in their order, then PostgreSQL, then nats-server. May be called more than once, and while starting.
   * `force` ends the services that still run at once, for a second Ctrl-C.
   */
  stop({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    if (force) for (const { name } of this.definitions) this.programs.get(name)?.kill();
    this.stopped ??= this.stopInOrder();
    return this.stopped;
  }

  private async stopInOrder(): Promise<void> {
    const order = [...this.definitions.map(({ name }) => name), 'postgresql', 'nats-server'];
    for (const name of order) await this.programs.get(name)?.stop();
    await this.lock.release();
  }

  private supervise(name: string, launch: () => Promise<Incarnation>): Promise<void> {
    if (this.stopped !== undefined)
      throw new FidelisError('STACK.SERVICE_FAILED', 'the stack was stopped while it started');
    const program = new Supervised({
      name,
      launch,
      logTail: () => lastLines(this.logFile(name), LOG_TAIL_LINES),
      onEvent: (event) => {
        if (event.type === 'failed') this.reportFailure(event.error);
        this.options.onEvent?.(event);
      },
      ...(this.options.restartPolicy === undefined ? {} : { policy: this.options.restartPolicy }),
    });
    this.programs.set(name, program);
    return program.start();
  }

  private async launchNats(): Promise<Incarnation> {
    if (this.nats === undefined) {
      this.nats = await startNatsServer({
        storeDir: join(this.dataDir, 'nats'),
        logFile: this.logFile('nats-server'),
      });
    } else {
      await this.nats.restart();
    }
    return incarnationOf(this.nats);
  }

  private async launchPostgres(): Promise<Incarnation> {
    if (this.postgres === undefined) {
      this.postgres = await startPostgres({
        dataDir: join(this.dataDir, 'postgres'),
        logFile: this.logFile('postgresql'),
      });
    } else {
      await this.postgres.restart();
    }
    return incarnationOf(this.postgres);
  }

  private async launchOne(
    definition: ServiceDefinition,
    natsUrl: string,
    databases: ReadonlyMap<string, string>,
  ): Promise<Incarnation> {
    const port = await this.portFor(definition);
    const url = `http://${HOST}:${port}`;
    this.urls.set(definition.name, url);
    const database = definition.schema === undefined ? undefined : databases.get(definition.schema);
    return launchService({
      entry: definition.entry,
      url,
      readyPath: definition.readyPath,
      logFile: this.logFile(definition.name),
      workingDirectory: this.dataDir,
      env: {
        FIDELIS_DATASETS_DIR: join(this.dataDir, 'datasets'),
        ...process.env,
        ...this.options.env,
        FIDELIS_NATS_URL: natsUrl,
        FIDELIS_HTTP_HOST: HOST,
        FIDELIS_HTTP_PORT: String(port),
        ...(database === undefined ? {} : { FIDELIS_DATABASE_URL: database }),
        ...definition.env,
      },
    });
  }

  /** The one it is known by, as long as nobody else has taken it. */
  private async portFor(definition: ServiceDefinition): Promise<number> {
    const fixed =
      definition.name === GATEWAY ? (this.options.gatewayPort ?? definition.port) : definition.port;
    if (fixed !== undefined) return fixed;
    const known = this.urls.get(definition.name);
    const last = known === undefined ? undefined : Number(new URL(known).port);
    return last !== undefined && (await isPortFree(last, HOST)) ? last : freePort(HOST);
  }

  private logFile(name: string): string {
    return join(this.dataDir, 'logs', `${name}.log`);
  }

  /** Each start begins new logs and keeps those of the last one. */
  private async prepareLogs(): Promise<void> {
    try {
      await mkdir(join(this.dataDir, 'logs'), { recursive: true });
      for (const name of [...this.definitions.map((each) => each.name), 'postgresql', 'nats-server']) {
        const file = this.logFile(name);
        if (existsSync(file)) await rename(file, `${file}.1`);
      }
    } catch (error) {
      throw asStorageError(this.dataDir, error);
    }
  }
}

/** Servers are ready when their start resolves. */
function incarnationOf(server: NatsServer | PostgresServer): Incarnation {
  return {
    pid: server.pid,
    ready: Promise.resolve(),
    exited: server.exited,
    stop: () => server.stop(),
    kill: () => void server.kill('SIGKILL'),
  };
}
