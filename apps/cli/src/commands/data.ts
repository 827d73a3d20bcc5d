import {
  datasetCatalogue,
  datasetInfo,
  inputDimensions,
  loadDataset,
  verifyDataset,
  type DatasetInfo,
} from '@fidelis/data';
import type { CommandRegistry, Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
import { examples, withJson, type JsonOption } from '../options.js';
import { whole } from '../render/figures.js';
import { renderTable, type Column } from '../render/table.js';

const LIST_COLUMNS: readonly Column[] = [
  { title: 'name' },
  { title: 'train', align: 'right' },
  { title: 'test', align: 'right' },
  { title: 'classes', align: 'right' },
  { title: 'input' },
  { title: 'source' },
];

export function registerData({ program, run }: CommandRegistry): void {
  const data = program.command('data').description('The datasets that experiments can use.');
  examples(data, 'fidelis data list', 'fidelis data verify mnist');

  const list = withJson(data.command('list').description('Lists the known datasets.'));
  examples(list, 'fidelis data list --json');
  list.action((options: JsonOption) => run(options.json, listDatasets));

  const get = withJson(
    data
      .command('get <name>')
      .description('Makes a dataset ready for use, verifies it, and prints its digest and licence.'),
  );
  examples(get, 'fidelis data get mnist');
  get.action((name: string, options: JsonOption) =>
    run(options.json, (invocation) => getDataset(invocation, name)),
  );

  const verify = withJson(
    data
      .command('verify <name>')
      .description('Compares every file of a dataset with its published checksum.'),
  );
  examples(verify, 'fidelis data verify mnist');
  verify.action((name: string, options: JsonOption) =>
    run(options.json, (invocation) => verifyFiles(invocation, name)),
  );
}

function listDatasets({ output }: Invocation): Promise<ExitStatus> {
  const datasets = datasetCatalogue();
  output.result({ datasets }, () =>
    renderTable(
      LIST_COLUMNS,
      datasets.map((info) => [
        info.name,
        whole(info.splits.train),
        whole(info.splits.test),
        String(info.classes),
        shapeText(info),
        info.source,
      ]),
      output.style,
    ),
  );
  return Promise.resolve(EXIT.ok);
}

async function getDataset({ output }: Invocation, name: string): Promise<ExitStatus> {
  const info = datasetInfo(name);
  const { digest, classNames } = await loadDataset(name);
  output.result({ ...info, digest, classNames }, () =>
    [
      `${output.style.bold(info.name)}: ${info.title}`,
      `  ${info.description}`,
      `  ${whole(info.splits.train)} training and ${whole(info.splits.test)} test images, ${shapeText(info)}, ${info.classes} classes`,
      `  source   ${info.source}`,
      `  licence  ${info.license}`,
      `  digest   ${digest}`,
    ].join('\n'),
  );
  return EXIT.ok;
}

async function verifyFiles({ output }: Invocation, name: string): Promise<ExitStatus> {
  const files = await verifyDataset(name);
  const ok = files.every((file) => file.ok);
  output.result({ name, ok, files }, () =>
    [
      ...files.map(({ path, ok: good, bytes, expectedMd5, actualMd5 }) =>
        good
          ? `${output.style.green('✓')} ${path} (${whole(bytes ?? 0)} bytes, md5 ${expectedMd5})`
          : `${output.style.red('✗')} ${path}: ${actualMd5 === undefined ? 'cannot be read' : `md5 ${actualMd5}`}, expected ${expectedMd5}`,
      ),
      ok ? `${name} is complete` : `${name} is damaged: install the packages again (\`npm ci\`)`,
    ].join('\n'),
  );
  return ok ? EXIT.ok : EXIT.failed;
}

function shapeText({ inputShape }: DatasetInfo): string {
  return inputDimensions(inputShape).join('×');
}
