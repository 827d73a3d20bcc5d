import { resolve } from 'node:path';
import type { CommandRegistry, Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
import {
  examples,
  withDataDir,
  withCompute,
  withJson,
  wholeNumber,
  type ComputeOptions,
  type JsonOption,
} from '../options.js';
import { padEnd, type Style } from '../render/style.js';
import type { StackHandle } from '../stack/stack-port.js';
import { STOPPING, StackSession } from '../stack/stack-session.js';

interface UpOptions extends JsonOption, ComputeOptions {
  readonly port?: number;
  readonly dataDir?: string;
}

export function registerUp({ program, run }: CommandRegistry): void {
  const command = withDataDir(
    withCompute(
      withJson(
        program
          .command('up')
          .description(
            'Starts the whole platform on this machine and keeps it running: NATS, PostgreSQL and the services, all on ' +
              'loopback. What it is told is kept for the next time. Ctrl-C stops all of it in order and ends with 0.',
          )
          .option('--port <n>', "the gateway's port (default: a free one)", wholeNumber(1, 65_535)),
      ),
      'also a worker on the GPU, for runs with `placement: gpu`; teachers train and score there, too (set up with `npm run setup -- --gpu`)',
    ),
  );
  examples(command, 'fidelis up', 'fidelis up --gpu', 'fidelis up --port 4000 --data-dir ./my-stack');
  command.action((options: UpOptions) => run(options.json, (invocation) => keepUp(invocation, options)));
}

async function keepUp({ host, output, signal }: Invocation, options: UpOptions): Promise<ExitStatus> {
  const dataDir = resolve(options.dataDir ?? host.config.dataDir);
  const display = output.progress();
  try {
    const session = await StackSession.start(host, {
      dataDir,
      gatewayPort: options.port,
      eager: options.eager,
      gpu: options.gpu,
      display,
    });
    display.show([session.setUp]);
    display.end();
    try {
      output.result(addressesOf(session.stack, dataDir), () =>
        addressText(session.stack, dataDir, output.style),
      );
      await aborted(session.signal);
      output.message(STOPPING);
    } finally {
      await session.stop();
    }
    if (!signal.aborted) session.signal.throwIfAborted();
  } finally {
    display.end();
  }
  output.message('stopped');
  return EXIT.ok;
}

function addressesOf({ gatewayUrl, services }: StackHandle, dataDir: string): Record<string, unknown> {
  return {
    gateway: gatewayUrl,
    graphql: new URL('/graphql', gatewayUrl).href,
    graphiql: new URL('/graphiql', gatewayUrl).href,
    services: metricsOf(services),
    dataDir,
    pid: process.pid,
  };
}

function addressText({ gatewayUrl, services }: StackHandle, dataDir: string, style: Style): string {
  const lines: [string, string][] = [
    ['GraphQL', new URL('/graphql', gatewayUrl).href],
    ['GraphiQL', `${new URL('/graphiql', gatewayUrl).href}  (a page to ask in)`],
    ...metricsOf(services).map(({ name, metrics }): [string, string] => [name, metrics]),
    ['data', dataDir],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    ...lines.map(([name, text]) => `${style.bold(padEnd(name, width))}  ${text}`),
    '',
    'In another terminal: npm run fidelis -- run examples/lenet5-mnist.yaml',
    'Ctrl-C stops everything.',
  ].join('\n');
}

/** Of the services; the servers answer no HTTP. */
function metricsOf(services: StackHandle['services']): { readonly name: string; readonly metrics: string }[] {
  return services.flatMap(({ name, url }) =>
    url === undefined ? [] : [{ name, metrics: new URL('/metrics', url).href }],
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
