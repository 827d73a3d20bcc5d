import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { GET_RUN_DETAILS } from '../gateway/documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';
import { renderRunDetails } from '../report/run-details.js';

export function registerShow({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('show <run>')
      .description(
        'Shows a run: its stages, what it was made from, its evaluations, and why it failed if it did.',
      ),
  );
  examples(command, 'fidelis show <run>', 'fidelis show <run> --json');
  command.action((id: string, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const { run: details } = await client.request(GET_RUN_DETAILS, { id }, signal);
        output.result(details, () => renderRunDetails(details, output.style));
        return EXIT.ok;
      }),
    ),
  );
}
