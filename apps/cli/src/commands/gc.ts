import { GARBAGE_GRACE_SECONDS, type Garbage } from '@fidelis/contracts';
import { InvalidArgumentError } from 'commander';
import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { COLLECT_GARBAGE } from '../gateway/operation-documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';
import { bytesText } from '../render/figures.js';

interface GcOptions extends GatewayOptions {
  readonly yes?: true;
  readonly olderThan: number;
}

const DETAILS = `
Goes: streams that no run reads (their frames can be made again), checkpoints of trainings that ended well, weights and tables that neither
a run nor a teacher refers to. Stays: whatever a run, a teacher, or a training that can go on refers to, and what is younger than --older-than.`;

export function registerGc({ program, run }: CommandRegistry): void {
  const command = withGateway(
    program
      .command('gc')
      .description(
        'Shows the streams, checkpoints and artifacts that nothing refers to, and with --yes removes them.',
      )
      .option('--yes', 'remove them')
      .option(
        '--older-than <time>',
        'spare what is younger: 90s, 30m, 1h, 7d',
        seconds,
        GARBAGE_GRACE_SECONDS,
      ),
  ).addHelpText('after', DETAILS);
  examples(command, 'fidelis gc', 'fidelis gc --yes --older-than 7d');
  command.action((options: GcOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const variables = { dryRun: options.yes !== true, olderThanSeconds: options.olderThan };
        const { collectGarbage } = await client.request(COLLECT_GARBAGE, variables, signal);
        output.result(collectGarbage, () => garbageText(collectGarbage));
        return EXIT.ok;
      }),
    ),
  );
}

function garbageText({ streams, artifacts, positions, bytes, removed }: Garbage): string {
  const total = (entries: readonly { readonly bytes: number }[]): string =>
    bytesText(entries.reduce((sum, entry) => sum + entry.bytes, 0));
  if (streams.length + artifacts.length + positions.length === 0) return 'nothing is left over';
  const lines = [
    ...streams.map(({ key, bytes: size }) => `stream    ${key}  ${bytesText(size)}`),
    ...(artifacts.length === 0 ? [] : [`artifacts ${artifacts.length}, ${total(artifacts)}`]),
    ...(positions.length === 0 ? [] : [`positions ${positions.length}`]),
  ];
  const end = removed
    ? `removed: ${bytesText(bytes)} are free`
    : `${bytesText(bytes)} could be free: add --yes to remove this`;
  return [...lines, end].join('\n');
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function seconds(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  if (count === undefined || factor === undefined) {
    throw new InvalidArgumentError('Expected a time such as 90s, 30m, 1h or 7d.');
  }
  return Number(count) * factor;
}
