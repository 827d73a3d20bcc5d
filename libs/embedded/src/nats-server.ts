import { readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';
import { ensureWritableDirectory } from './directories.js';
import { findNatsServer, type NatsBinary } from './nats-binary.js';
import { LocalServer } from './local-server.js';
import { assertPortFree } from './ports.js';
import {
  describeExit,
  lastLines,
  type ProcessExit,
  type ServerProcess,
  startServerProcess,
} from './server-process.js';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const POLL_MS = 25;

const portsFileSchema = z.object({ nats: z.array(z.string()).min(1) });

export interface NatsServerOptions {
  /** JetStream's directory; created if missing. What is there is kept. */
  readonly storeDir: string;
  /** @default a free one */
  readonly port?: number;
  /** @default nats-server.log in the store directory */
  readonly logFile?: string;
  /** @default findNatsServer() */
  readonly binary?: NatsBinary;
  /** More arguments for nats-server. */
  readonly extraArgs?: readonly string[];
}

/** A nats-server with JetStream. */
export class NatsServer extends LocalServer {
  private constructor(
    private readonly options: NatsServerOptions,
    private readonly binary: NatsBinary,
    server: ServerProcess,
    port: number,
  ) {
    const { version } = binary;
    super(
      { version, logFile: logFileOf(options), stopSignal: 'SIGTERM', stopGraceMs: STOP_GRACE_MS },
      server,
      port,
    );
  }

  static async start(options: NatsServerOptions): Promise<NatsServer> {
    const binary = options.binary ?? (await findNatsServer());
    const { server, port } = await launch(options, binary);
    return new NatsServer(options, binary, server, port);
  }

  get url(): string {
    return `nats://${HOST}:${this.port}`;
  }

  protected async launchAgain(): Promise<ServerProcess> {
    const { server } = await launch({ ...this.options, port: this.port }, this.binary);
    return server;
  }
}

/**
 * Starts nats-server and waits until it answers.
 * @throws SETUP.MISSING, PORT.IN_USE, STORAGE.UNWRITABLE, BUS.UNAVAILABLE
 */
export function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  return NatsServer.start(options);
}

const logFileOf = (options: NatsServerOptions): string =>
  options.logFile ?? join(options.storeDir, 'nats-server.log');

async function launch(
  options: NatsServerOptions,
  binary: NatsBinary,
): Promise<{ server: ServerProcess; port: number }> {
  const { storeDir } = options;
  await ensureWritableDirectory(storeDir);
  if (options.port !== undefined) await assertPortFree(options.port);
  const logFile = logFileOf(options);
  const server = await startServerProcess({
    command: binary.path,
    args: [
      ...['--addr', HOST, '--port', String(options.port ?? -1), '--ports_file_dir', storeDir],
      ...['--jetstream', '--store_dir', storeDir, ...(options.extraArgs ?? [])],
    ],
    logFile,
    deathSignal: 'SIGTERM',
  });
  let exit: ProcessExit | undefined;
  void server.exited.then((value) => (exit = value));
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const port = await chosenPort(storeDir, server.pid);
    if (port !== undefined && (await answers(port))) {
      await rm(portsFile(storeDir, server.pid), { force: true });
      return { server, port };
    }
    if (exit !== undefined || Date.now() > deadline) {
      server.signal('SIGKILL');
      const why =
        exit === undefined
          ? `did not answer within ${START_DEADLINE_MS} ms`
          : `ended with ${describeExit(exit)}`;
      const lines = await lastLines(logFile, 10);
      throw new FidelisError(
        'BUS.UNAVAILABLE',
        `nats-server ${why}; its log is ${logFile}:\n${lines.join('\n')}`,
        {
          details: { logFile },
          retryable: false,
        },
      );
    }
    await delay(POLL_MS);
  }
}

const portsFile = (directory: string, pid: number): string => join(directory, `nats-server_${pid}.ports`);

/** nats-server writes the addresses it listens on once it does. */
async function chosenPort(directory: string, pid: number): Promise<number | undefined> {
  const text = await readFile(portsFile(directory, pid), 'utf8').catch(() => '');
  if (!text.trimEnd().endsWith('}')) return undefined;
  const address = portsFileSchema.parse(JSON.parse(text)).nats[0];
  return address === undefined ? undefined : Number(new URL(address).port);
}

/** A server that is ready greets every connection with its INFO, in which JetStream is on. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST, timeout: 1_000 });
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', (data) => settle(data.includes('"jetstream":true')));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
    socket.once('close', () => settle(false));
  });
}
