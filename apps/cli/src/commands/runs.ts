import { runStates, type RunState } from '@fidelis/contracts';
import { Option } from 'commander';
import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { LIST_RUNS, type RunDetails } from '../gateway/documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, wholeNumber, type GatewayOptions } from '../options.js';
import { moment, percent } from '../render/figures.js';
import { renderTable, type Column } from '../render/table.js';

interface RunsOptions extends GatewayOptions {
  readonly state?: RunState;
  readonly limit: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'run' },
  { title: 'name' },
  { title: 'state' },
  { title: 'epochs', align: 'right' },
  { title: 'agreement', align: 'right' },
  { title: 'accuracy', align: 'right' },
  { title: 'created (UTC)' },
];

export function registerRuns({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('runs')
      .description(
        'Lists the runs, newest first, with the figures of the finished student on the set `test`.',
      )
      .addOption(new Option('--state <state>', 'only runs in this state').choices(runStates))
      .option('--limit <n>', 'at most so many', wholeNumber(1, 200), 20),
  );
  examples(command, 'fidelis runs', 'fidelis runs --state failed --json');
  command.action((options: RunsOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const filter = options.state === undefined ? null : { state: options.state };
        const { runs } = await client.request(
          LIST_RUNS,
          { filter, first: options.limit, after: null },
          signal,
        );
        const list = runs.edges.map(({ node }) => node);
        output.result({ runs: list, totalCount: runs.totalCount, hasMore: runs.pageInfo.hasNextPage }, () => {
          if (list.length === 0) return 'no runs';
          const table = renderTable(COLUMNS, list.map(runRow), output.style);
          return runs.pageInfo.hasNextPage ? `${table}\n… ${list.length} of ${runs.totalCount} runs` : table;
        });
        return EXIT.ok;
      }),
    ),
  );
}

function runRow(run: RunDetails): string[] {
  const final = run.evaluations.find((evaluation) => evaluation.final);
  return [
    run.id,
    run.name,
    run.state,
    `${run.progress.epoch}/${run.spec.student.epochs}`,
    final === undefined ? '–' : percent(final.fidelity.top1Agreement),
    final === undefined ? '–' : percent(final.student.accuracy),
    moment(run.createdAt),
  ];
}
