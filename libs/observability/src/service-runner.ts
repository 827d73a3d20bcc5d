import type { INestApplication } from '@nestjs/common';
import { FidelisError } from '@fidelis/contracts';
import type { Logger } from 'pino';
import { HealthRegistry } from './health.js';
import { createLogger, type LogLevel } from './logger.js';
import type { ServiceName } from './metric-catalogue.js';

/** After this a drain that hangs is cut off. */
const DRAIN_DEADLINE_MS = 25_000;

interface HttpConfig {
  readonly FIDELIS_HTTP_HOST: string;
  readonly FIDELIS_HTTP_PORT: number;
  readonly FIDELIS_LOG_LEVEL: LogLevel;
  readonly FIDELIS_INSTANCE: string;
}

/** The whole main of a service: reads its configuration, then runs it. A configuration that is wrong ends it with one line, too. */
export async function startService<Config extends HttpConfig>(
  service: ServiceName,
  readConfig: () => Config,
  create: (config: Config, logger: Logger) => Promise<INestApplication>,
): Promise<void> {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    return fail(createLogger({ service, level: 'info' }), error);
  }
  const logger = createLogger({
    service,
    level: config.FIDELIS_LOG_LEVEL,
    instance: config.FIDELIS_INSTANCE,
  });
  await runService({
    logger,
    host: config.FIDELIS_HTTP_HOST,
    port: config.FIDELIS_HTTP_PORT,
    create: () => create(config, logger),
  });
}

export interface ServiceOptions {
  readonly logger: Logger;
  readonly host: string;
  readonly port: number;
  /** Builds the application with everything connected but nothing listening yet. */
  readonly create: () => Promise<INestApplication>;
}

/**
 * Starts a service and sees it to its end: SIGTERM, SIGINT, or the loss of the parent that forked it drain it in order and exit 0; a
 * start that fails writes one line with the code and exits 1.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { logger } = options;
  process.on('unhandledRejection', (reason) => fail(logger, reason));
  process.on('uncaughtException', (error) => fail(logger, error));
  const stopped = stopRequested();
  try {
    const app = await Promise.race([options.create(), stopped]);
    if (typeof app === 'string') return leave(logger, app);
    await app.startAllMicroservices();
    await listen(app, options);
    app.get(HealthRegistry).setStarted();
    logger.info({ url: await app.getUrl() }, 'ready');
    const reason = await stopped;
    await drain(app, logger, reason);
    process.exit(0);
  } catch (error) {
    fail(logger, error);
  }
}

/** Asked to stop while it still waits for NATS or the database: nothing is open that would have to be drained. */
function leave(logger: Logger, reason: string): never {
  logger.info({ reason }, 'stopped before it was ready');
  process.exit(0);
}

async function listen(app: INestApplication, { host, port }: ServiceOptions): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new FidelisError(
        'PORT.IN_USE',
        `port ${port} on ${host} is in use: free it or choose another with FIDELIS_HTTP_PORT`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

/** The one who starts a service with an IPC channel wants it to end with them. */
function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
    // A parent that died while this process was still loading has left a closed channel behind.
    if (process.send !== undefined && !process.connected) resolve('parent gone');
    else process.once('disconnect', () => resolve('parent gone'));
  });
}

async function drain(app: INestApplication, logger: Logger, reason: string): Promise<void> {
  logger.info({ reason }, 'draining');
  app.get(HealthRegistry).setDraining();
  const timer = setTimeout(
    () => fail(logger, new Error(`drain took more than ${DRAIN_DEADLINE_MS} ms`)),
    DRAIN_DEADLINE_MS,
  );
  await app.close();
  clearTimeout(timer);
  logger.info('stopped');
}

function fail(logger: Logger, reason: unknown): never {
  const error = FidelisError.from(reason);
  logger.fatal({ code: error.code, err: reason }, error.message);
  process.exit(1);
}
