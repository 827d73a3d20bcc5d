import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { REMOVE_STREAM } from '../gateway/operation-documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';
import { bytesText } from '../render/figures.js';

export function registerStream({ program, run }: CommandRegistry): void {
  const stream = program.command('stream').description('What can be done with one logit stream.');
  examples(stream, 'fidelis stream rm 0123456789abcdef');

  const remove = withGateway(
    stream
      .command('rm <key>')
      .description(
        'Removes a stream that no run reads. A run that wants it later has its teacher score everything again.',
      ),
  );
  examples(remove, 'fidelis stream rm 0123456789abcdef');
  remove.action((key: string, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const { removeStream } = await client.request(REMOVE_STREAM, { key }, signal);
        output.result(
          removeStream,
          () => `stream ${key} is removed: ${bytesText(removeStream.bytes)} are free`,
        );
        return EXIT.ok;
      }),
    ),
  );
}
