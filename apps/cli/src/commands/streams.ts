import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { GET_STREAM, LIST_STREAMS } from '../gateway/operation-documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';
import { renderStream, renderStreams } from '../report/stream-report.js';

export function registerStreams({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('streams [key]')
      .description(
        "Lists the logit streams: what each teacher has said of which view, how much of it is stored, and the runs on it. With a key, one of them: with each run's position and who produced it.",
      ),
  );
  examples(command, 'fidelis streams', 'fidelis streams 0123456789abcdef', 'fidelis streams --json');
  command.action((key: string | undefined, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        if (key === undefined) {
          const { streams, streamUsage } = await client.request(LIST_STREAMS, {}, signal);
          output.result({ streams, usage: streamUsage }, () =>
            renderStreams(streams, streamUsage, output.style),
          );
        } else {
          const { stream } = await client.request(GET_STREAM, { key }, signal);
          output.result(stream, () => renderStream(stream, output.style));
        }
        return EXIT.ok;
      }),
    ),
  );
}
