import type { CommandRegistry, Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
import { examples, withDataDir, withJson, wholeNumber, type JsonOption } from '../options.js';
import { padEnd, type Style } from '../render/style.js';
import { announceStack } from '../stack/stack-file.js';
import type { StackHandle } from '../stack/stack-port.js';
import { newsLine, StackProgress } from '../stack/stack-progress.js';

interface UpOptions extends JsonOption {
  readonly port?: number;
  readonly dataDir?: string;
}

export function registerUp({ program, run }: CommandRegistry): void {
  const command = withDataDir(
    withJson(
      program
        .command('up')
        .description(
          'Starts the whole platform on this machine and keeps it running: NATS, PostgreSQL and the services, all on\n' +
            'loopback. What it is told is kept for the next time. Ctrl-C stops all of it in order and ends with 0.',
        )
        .option('--port <n>', "the gateway's port (default: a free one)", wholeNumber(1, 65_535)),
    ),
  );
  examples(command, 'fidelis up', 'fidelis up --port 4000 --data-dir ./my-stack');
  command.action((options: UpOptions) => run(options.json, (invocation) => keepUp(invocation, options)));
}

async function keepUp({ host, output, signal }: Invocation, options: UpOptions): Promise<ExitStatus> {
  const dataDir = options.dataDir ?? host.config.dataDir;
  const progress = new StackProgress();
  const display = output.progress();
  const beganAtMs = performance.now();
  let stack: StackHandle;
  try {
    stack = await host.launchStack({
      dataDir,
      environment: host.config.environment,
      signal,
      ...(options.port === undefined ? {} : { gatewayPort: options.port }),
      onNews: (news) => {
        if (progress.note(news)) display.show([progress.view()]);
        else if (!signal.aborted) output.message(newsLine(news) ?? `${news.part} is starting`);
      },
    });
    progress.finish((performance.now() - beganAtMs) / 1_000);
    display.show([progress.view()]);
  } finally {
    display.end();
  }
  try {
    const withdraw = await announceStack(dataDir, {
      gatewayUrl: stack.gatewayUrl,
      pid: process.pid,
      startedAt: new Date().toISOString(),
    });
    output.result(addressesOf(stack, dataDir), () => addressText(stack, dataDir, output.style));
    await aborted(signal);
    output.message('stopping everything (Ctrl-C again hurries) …');
    await withdraw();
  } finally {
    await stack.stop(host.interrupt.hurry);
  }
  output.message('stopped');
  return EXIT.ok;
}

function addressesOf({ gatewayUrl, services }: StackHandle, dataDir: string): Record<string, unknown> {
  return {
    gateway: gatewayUrl,
    graphql: new URL('/graphql', gatewayUrl).href,
    graphiql: new URL('/graphiql', gatewayUrl).href,
    services: services.map(({ name, url }) => ({ name, metrics: new URL('/metrics', url).href })),
    dataDir,
    pid: process.pid,
  };
}

function addressText({ gatewayUrl, services }: StackHandle, dataDir: string, style: Style): string {
  const lines: [string, string][] = [
    ['GraphQL', new URL('/graphql', gatewayUrl).href],
    ['GraphiQL', `${new URL('/graphiql', gatewayUrl).href}  (a page to ask in)`],
    ...services.map(({ name, url }): [string, string] => [`${name}`, new URL('/metrics', url).href]),
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
