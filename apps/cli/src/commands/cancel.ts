import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { CANCEL_RUN } from '../gateway/documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';

export function registerCancel({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('cancel <run>')
      .description('Ends a run that goes on. What it has trained so far is not kept.'),
  );
  examples(command, 'fidelis cancel <run>');
  command.action((id: string, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const { cancelRun } = await client.request(CANCEL_RUN, { id }, signal);
        output.result({ run: cancelRun.id, state: cancelRun.state }, () =>
          cancelRun.state === 'cancelled'
            ? `run ${id} is cancelled`
            : `run ${id} is asked to end (${cancelRun.state})`,
        );
        return EXIT.ok;
      }),
    ),
  );
}
