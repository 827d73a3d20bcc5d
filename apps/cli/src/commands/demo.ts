import type { CommandRegistry, Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
import { completedRun, startExperiment, withOverrides } from '../experiment.js';
import type { RunView } from '../gateway/documents.js';
import { GatewayClient } from '../gateway/gateway-client.js';
import { examples, withDataDir, withJson, wholeNumber, type JsonOption } from '../options.js';
import type { ProgressDisplay } from '../render/progress-display.js';
import type { StageView } from '../render/stage-view.js';
import { demoReport } from '../report/demo-report.js';
import { runDocument } from '../report/run-document.js';
import { runStages } from '../report/run-stages.js';
import { DEMO_SPEC, readDemoSpec } from '../spec/demo-spec.js';
import type { SpecFile } from '../spec/read-spec.js';
import { createDemoDirectory, type DemoDirectory } from '../stack/demo-directory.js';
import { announceStack } from '../stack/stack-file.js';
import type { StackHandle } from '../stack/stack-port.js';
import { newsLine, StackProgress } from '../stack/stack-progress.js';

interface DemoOptions extends JsonOption {
  readonly epochs?: number;
  readonly seed?: number;
  readonly dataDir?: string;
  readonly keep?: true;
}

export function registerDemo({ program, run }: CommandRegistry): void {
  const command = withDataDir(
    withJson(
      program
        .command('demo')
        .description(
          'Distils a LeNet-5 on MNIST through the whole platform, on this machine: starts NATS, PostgreSQL and the\n' +
            'services, trains a teacher on 200 images, streams its logits over 60,000, trains a student on them,\n' +
            `and shows how faithful it is. Everything is stopped at the end. The experiment is ${DEMO_SPEC}.`,
        )
        .option('--epochs <n>', "the student's epochs (default: 3)", wholeNumber(1, 100_000))
        .option(
          '--seed <n>',
          'of everything random; the same seed gives the same figures (default: 0)',
          wholeNumber(0, 0xffffffff),
        )
        .option('--keep', "keep the stack's data, to look at it with `fidelis up --data-dir`"),
    ),
  );
  examples(command, 'fidelis demo', 'fidelis demo --epochs 30', 'fidelis demo --json > demo.json');
  command.action((options: DemoOptions) => run(options.json, (invocation) => runDemo(invocation, options)));
}

async function runDemo(invocation: Invocation, options: DemoOptions): Promise<ExitStatus> {
  const { host, output } = invocation;
  const startedAtMs = performance.now();
  const specFile = await readDemoSpec();
  const dataDir = options.dataDir ?? host.config.dataDir;
  const directory = await createDemoDirectory(dataDir, options.keep === true);
  const display = output.progress();
  try {
    const session = await DemoSession.start(invocation, { dataDir, directory, display });
    try {
      const document = await session.distil(specFile, options, startedAtMs);
      const file = await directory.saveResult(document.run, document);
      display.end();
      const kept = options.keep === true ? directory.path : undefined;
      output.result(document, () => demoReport(document, { file, kept }, output.style));
    } finally {
      display.end();
      await session.stop();
    }
  } finally {
    await directory.dispose();
  }
  return EXIT.ok;
}

/** One stack of the demo, from its start to its end. */
class DemoSession {
  private constructor(
    private readonly invocation: Invocation,
    private readonly display: ProgressDisplay,
    private readonly stack: StackHandle,
    private readonly setUp: StageView,
    private readonly withdraw: () => Promise<void>,
  ) {}

  static async start(
    invocation: Invocation,
    {
      dataDir,
      directory,
      display,
    }: { readonly dataDir: string; readonly directory: DemoDirectory; readonly display: ProgressDisplay },
  ): Promise<DemoSession> {
    const { host, signal } = invocation;
    signal.throwIfAborted();
    const beganAtMs = performance.now();
    const progress = new StackProgress();
    display.show([progress.view()]);
    const stack = await host.launchStack({
      dataDir: directory.path,
      environment: host.config.environment,
      signal,
      onNews: (news) => {
        if (progress.note(news)) {
          display.show([progress.view()]);
          return;
        }
        const line = newsLine(news);
        if (line !== undefined && !signal.aborted) display.note(line);
      },
    });
    progress.finish((performance.now() - beganAtMs) / 1_000);
    const announcement = {
      gatewayUrl: stack.gatewayUrl,
      pid: process.pid,
      startedAt: new Date().toISOString(),
    };
    const withdraw = await announceStack(dataDir, announcement);
    return new DemoSession(invocation, display, stack, progress.view(), withdraw);
  }

  async distil(
    specFile: SpecFile,
    overrides: DemoOptions,
    startedAtMs: number,
  ): Promise<ReturnType<typeof runDocument>> {
    const { signal } = this.invocation;
    const client = new GatewayClient(this.stack.gatewayUrl);
    try {
      this.display.show([this.setUp]);
      const started = await startExperiment(
        client,
        specFile,
        withOverrides(specFile.spec, overrides),
        signal,
      );
      const onUpdate = (update: RunView): void => this.display.show([this.setUp, ...runStages(update)]);
      const run = await completedRun(client, started, onUpdate, signal);
      return runDocument(run, {
        stack: this.setUp.seconds ?? 0,
        total: (performance.now() - startedAtMs) / 1_000,
      });
    } finally {
      await client.close();
    }
  }

  async stop(): Promise<void> {
    const { host, output, signal } = this.invocation;
    if (signal.aborted) output.message('stopping everything (Ctrl-C again hurries) …');
    await this.withdraw();
    await this.stack.stop(host.interrupt.hurry);
  }
}
