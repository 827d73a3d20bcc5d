import { stringify } from 'yaml';
import { Option, type Command } from 'commander';
import type { Split } from '@fidelis/contracts';
import { exportStream } from '../archive/export-stream.js';
import { importArchive } from '../archive/import-archive.js';
import { specOfArchive } from '../archive/spec-of-archive.js';
import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { REMOVE_STREAM } from '../gateway/operation-documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, withGateway, type GatewayOptions } from '../options.js';
import { bytesText } from '../render/figures.js';

export function registerStream({ program, run }: CommandRegistry): void {
  const stream = program.command('stream').description('What can be done with one logit stream.');
  examples(
    stream,
    'fidelis stream export 0123456789abcdef -o cifar10-logits',
    'fidelis stream import cifar10-logits',
    'fidelis stream rm 0123456789abcdef',
  );
  registerExport(stream, run);
  registerImport(stream, run);

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

interface ExportOptions extends GatewayOptions {
  readonly output: string;
  readonly partial?: true;
  readonly predictions: 'none' | 'test' | 'all';
}

const SPLITS: Record<ExportOptions['predictions'], readonly Split[]> = {
  none: [],
  test: ['test'],
  all: ['test', 'train'],
};

function registerExport(stream: Command, run: CommandRegistry['run']): void {
  const command = withGateway(
    stream
      .command('export <key>')
      .description(
        "Writes a stored stream into a directory: Arrow files of the logits with their samples' ids, and a manifest. docs/streams.md tells how to read them from Python; `fidelis stream import` makes a teacher of them elsewhere.",
      )
      .requiredOption('-o, --output <dir>', 'a directory that does not exist yet, or is empty')
      .option('--partial', 'what there is, although not all steps are stored')
      .addOption(
        new Option(
          '--predictions <splits>',
          "also the teacher's logits without augmentation, which students are compared with where the stream is imported",
        )
          .choices(Object.keys(SPLITS))
          .default('test'),
      ),
  );
  examples(
    command,
    'fidelis stream export 0123456789abcdef -o cifar10-logits',
    'fidelis stream export 0123456789abcdef -o soft-labels --predictions none --json',
  );
  command.action((key: string, options: ExportOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const bars = output.bars();
        try {
          const manifest = await exportStream(client, key, options.output, {
            predictions: SPLITS[options.predictions],
            partial: options.partial === true,
            signal,
            onProgress: ({ steps, totalSteps }) =>
              bars?.show([
                { label: 'export', state: 'running', done: steps, total: totalSteps, unit: 'steps' },
              ]),
          });
          const { firstStep, steps, rows, shards, predictions } = manifest;
          const bytes = [...shards, ...predictions].reduce((sum, file) => sum + file.bytes, 0);
          output.result({ directory: options.output, bytes, manifest }, () =>
            [
              `${options.output}: steps ${firstStep} to ${firstStep + steps - 1} of stream ${key}, ${rows} rows, ${bytesText(bytes)}`,
              `logits without augmentation: ${predictions.map(({ split }) => split).join(', ') || 'none'}`,
            ].join('\n'),
          );
          return EXIT.ok;
        } finally {
          bars?.end();
        }
      }),
    ),
  );
}

function registerImport(stream: Command, run: CommandRegistry['run']): void {
  const command = withGateway(
    stream
      .command('import <dir>')
      .description(
        'Verifies an exported stream and makes its teacher known here, without weights: prints what a spec must say to distil from it.',
      ),
  );
  examples(command, 'fidelis stream import cifar10-logits');
  command.action((directory: string, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const bars = output.bars();
        try {
          const { teacher, manifest } = await importArchive(client, directory, {
            signal,
            onFile: (done, total) =>
              bars?.show([{ label: 'upload', state: 'running', done, total, unit: 'files' }]),
          });
          const { streamKey, firstStep, steps } = manifest;
          const spec = specOfArchive(manifest, teacher.id);
          output.result(
            { teacher: teacher.id, streamKey, firstStep, steps, spec },
            () =>
              `teacher ${teacher.id} has stream ${streamKey}, ${steps} steps. A spec distils from it with\n\n${stringify(spec).trimEnd()}`,
          );
          return EXIT.ok;
        } finally {
          bars?.end();
        }
      }),
    ),
  );
}
