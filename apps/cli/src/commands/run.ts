import type { CommandRegistry, Invocation } from '../command-host.js';
import { EXIT, InterruptedError, type ExitStatus } from '../exit-status.js';
import { completedRun, startExperiment, withOverrides } from '../experiment.js';
import { datasetsElsewhere, datasetsHere } from '../data/known-datasets.js';
import type { RunView } from '../gateway/documents.js';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { findGateway, requireGateway, withClientOf } from '../gateway/open-gateway.js';
import { examples, withGateway, wholeNumber, type GatewayOptions } from '../options.js';
import { wrap } from '../render/wrap.js';
import { inPlainWords } from '../report/plain-words.js';
import { runDocument } from '../report/run-document.js';
import { runStages } from '../report/run-stages.js';
import { renderFigures } from '../report/run-table.js';
import { withUploadedTables } from '../teacher/upload-tables.js';
import { readSpec } from '../spec/read-spec.js';

interface RunOptions extends GatewayOptions {
  readonly detach?: true;
  readonly epochs?: number;
}

export function registerRun({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('run <spec.yaml>')
      .description(
        'Runs the experiment of a spec on a running stack and shows how faithful the student is. ' +
          'Ctrl-C leaves the run going; `fidelis cancel` ends it. docs/schemas/experiment.schema.json has every field.',
      )
      .option('--detach', 'do not wait for the end: print the run that was started')
      .option('--epochs <n>', "instead of the spec's student.epochs", wholeNumber(1, 100_000)),
  );
  examples(
    command,
    'fidelis run examples/lenet5-mnist.yaml',
    'fidelis run examples/mlp-mnist.yaml --epochs 10 --json > result.json',
  );
  command.action((file: string, options: RunOptions) =>
    run(options.json, (invocation) => runSpec(invocation, file, options)),
  );
}

async function runSpec(invocation: Invocation, file: string, options: RunOptions): Promise<ExitStatus> {
  const { host, signal, output } = invocation;
  const gateway = await findGateway(host, options);
  // Which datasets a stack elsewhere has, its own answer says.
  const datasets = gateway === undefined || gateway.embedded ? datasetsHere() : datasetsElsewhere();
  const specFile = await readSpec(file, datasets);
  const spec = withOverrides(specFile.spec, options);
  return withClientOf(requireGateway(gateway, host, options), async (client) => {
    const warn = (text: string): void => output.message(output.messageStyle.yellow(text));
    const ready = await withUploadedTables(spec, specFile, { file, client, signal, warn });
    const started = await startExperiment(client, specFile, ready, signal);
    if (options.detach === true) {
      output.result(
        { run: started.id, name: started.name, state: started.state },
        () => `started run ${started.id}; \`fidelis show ${started.id}\` tells how it goes`,
      );
      return EXIT.ok;
    }
    output.message(`run ${started.id} (${started.name}) at ${client.url.href}`);
    await followAndReport(invocation, client, started);
    return EXIT.ok;
  });
}

async function followAndReport(
  { output, signal }: Invocation,
  client: GatewayClient,
  started: RunView,
): Promise<void> {
  const display = output.progress();
  try {
    const run = await completedRun(client, started, (update) => display.show(runStages(update)), signal);
    display.end();
    const document = runDocument(run);
    output.result(document, () =>
      [
        renderFigures(document, output.style),
        '',
        wrap(inPlainWords(document, document.set), output.columns),
      ].join('\n'),
    );
  } catch (error) {
    display.end();
    if (error instanceof InterruptedError) {
      output.message(`run ${started.id} goes on; \`fidelis cancel ${started.id}\` would end it`);
    }
    throw error;
  }
}
