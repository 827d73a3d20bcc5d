import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { REMOVE_RUN } from '../gateway/operation-documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';

export function registerRm({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('rm <run...>')
      .description(
        'Removes runs that have ended, with their evaluations. Their weights stay in the artifact store until `fidelis gc`.',
      ),
  );
  examples(command, 'fidelis rm <run>', 'fidelis rm <run> <run> --json');
  command.action((ids: readonly string[], options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const removed: string[] = [];
        for (const id of ids) {
          removed.push((await client.request(REMOVE_RUN, { id }, signal)).removeRun);
          output.message(`run ${id} is removed`);
        }
        output.result({ removed }, () => `${removed.length} of ${ids.length} removed`);
        return EXIT.ok;
      }),
    ),
  );
}
