import type { CommandRegistry, Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
import { completedRun, startExperiment, withOverrides, type SpecOverrides } from '../experiment.js';
import type { RunView } from '../gateway/documents.js';
import { GatewayClient } from '../gateway/gateway-client.js';
import {
  examples,
  withDataDir,
  withCompute,
  withJson,
  wholeNumber,
  type ComputeOptions,
  type JsonOption,
} from '../options.js';
import type { ProgressDisplay } from '../render/progress-display.js';
import { demoReport } from '../report/demo-report.js';
import { runDocument, type RunDocument } from '../report/run-document.js';
import { runStages } from '../report/run-stages.js';
import { DEMO_SPEC, readDemoSpec } from '../spec/demo-spec.js';
import type { SpecFile } from '../spec/read-spec.js';
import { createDemoDirectory } from '../stack/demo-directory.js';
import { STOPPING, StackSession } from '../stack/stack-session.js';

interface DemoOptions extends JsonOption, ComputeOptions {
  readonly epochs?: number;
  readonly seed?: number;
  readonly dataDir?: string;
  readonly keep?: true;
}

export function registerDemo({ program, run }: CommandRegistry): void {
  const command = withDataDir(
    withCompute(
      withJson(
        program
          .command('demo')
          .description(
            'Distils a LeNet-5 on MNIST through the whole platform, on this machine: starts NATS, PostgreSQL and the ' +
              'services, trains a teacher on 200 images, streams its logits over 60,000, trains a student on them, ' +
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
      'train and score on the GPU (set up with `npm run setup -- --gpu`)',
    ),
  );
  examples(command, 'fidelis demo', 'fidelis demo --epochs 30', 'fidelis demo --json > demo.json');
  command.action((options: DemoOptions) => run(options.json, (invocation) => runDemo(invocation, options)));
}

async function runDemo({ host, output, signal }: Invocation, options: DemoOptions): Promise<ExitStatus> {
  const startedAtMs = performance.now();
  const specFile = await readDemoSpec();
  const directory = await createDemoDirectory(options.dataDir ?? host.config.dataDir, options.keep === true);
  const display = output.progress();
  try {
    const session = await StackSession.start(host, {
      dataDir: directory.path,
      eager: options.eager,
      gpu: options.gpu,
      display,
    });
    try {
      const document = await distil(session, specFile, options, { display, startedAtMs });
      const file = await directory.saveResult(document.run, document);
      display.end();
      const kept = options.keep === true ? directory.path : undefined;
      output.result(document, () =>
        demoReport(document, { file, kept, style: output.style, columns: output.columns }),
      );
    } finally {
      display.end();
      if (signal.aborted) output.message(STOPPING);
      await session.stop();
    }
  } finally {
    display.end();
    await directory.dispose();
  }
  return EXIT.ok;
}

/** The stack's GPU is for the runs that ask for it. */
function withPlacement({ gpu, ...overrides }: DemoOptions): SpecOverrides {
  return gpu === true ? { ...overrides, placement: 'gpu' } : overrides;
}

/** @throws FidelisError the run's; the stack's if it breaks down */
async function distil(
  { stack, setUp, signal }: StackSession,
  specFile: SpecFile,
  overrides: DemoOptions,
  { display, startedAtMs }: { readonly display: ProgressDisplay; readonly startedAtMs: number },
): Promise<RunDocument> {
  const client = new GatewayClient(stack.gatewayUrl);
  try {
    display.show([setUp]);
    display.note(`watch it at ${new URL('/graphiql', stack.gatewayUrl).href}`);
    const started = await startExperiment(
      client,
      specFile,
      withOverrides(specFile.spec, withPlacement(overrides)),
      signal,
    );
    const onUpdate = (update: RunView): void => display.show([setUp, ...runStages(update)]);
    const run = await completedRun(client, started, onUpdate, signal);
    return runDocument(run, {
      stack: setUp.seconds ?? 0,
      total: (performance.now() - startedAtMs) / 1_000,
    });
  } finally {
    await client.close();
  }
}
