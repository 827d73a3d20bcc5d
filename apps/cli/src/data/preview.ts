import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import {
  FidelisError,
  otherDatasets,
  resolveView,
  viewSpecFieldSchema,
  type DatasetRef,
  type ExperimentSpec,
  type PolicyName,
  type ViewSpec,
} from '@fidelis/contracts';
import {
  contactSheet,
  createSequenceView,
  createTableView,
  datasetInfo,
  datasetRefOf,
  isImageShape,
  loadDataset,
  loadOthers,
  NO_LABEL,
  type Dataset,
  type SheetCell,
} from '@fidelis/data';
import type { Invocation } from '../command-host.js';
import { EXIT, type ExitStatus } from '../exit-status.js';
import type { JsonOption } from '../options.js';
import { readSpec } from '../spec/read-spec.js';
import { datasetsHere } from './known-datasets.js';

export interface PreviewOptions extends JsonOption {
  readonly output: string;
  readonly step: number;
  readonly rows: number;
  readonly policy?: PolicyName;
  readonly append?: string;
  readonly appendSize?: number;
  readonly synthetic?: string;
}

const COLUMNS = 8;
/** The paper's, so that a batch of a dataset alone is one of its recipe. */
const BATCH_SIZE = 128;

/** What is drawn: the batch as the network sees it, and its samples as they were. */
interface Batch {
  readonly ids: Uint32Array;
  readonly inputs: Float32Array;
  readonly originals: Float32Array | undefined;
  readonly labels: Int32Array;
}

/** Draws one batch of a spec's view, or of a dataset's. */
export async function preview(
  { output }: Invocation,
  subject: string,
  options: PreviewOptions,
): Promise<ExitStatus> {
  const view = await viewOf(subject, options);
  const { inputShape } = datasetInfo(view.dataset.name);
  if (!isImageShape(inputShape)) {
    throw new FidelisError('REQUEST.INVALID', `${view.dataset.name} has texts: there is nothing to draw`);
  }
  const dataset = await loadDataset(view.dataset.name);
  const batch = await batchOf(dataset, view, options.step);
  const length = inputShape.height * inputShape.width * inputShape.channels;
  const count = Math.min(batch.ids.length, options.rows * COLUMNS);
  const cells = Array.from({ length: count }, (_, row): SheetCell => {
    const at = (values: Float32Array): Float32Array => values.subarray(row * length, (row + 1) * length);
    const images = [...(batch.originals === undefined ? [] : [at(batch.originals)]), at(batch.inputs)];
    return { images, label: labelText(dataset, batch, row) };
  });
  const title = `${dataset.name} ${whatIsDone(view)} step ${options.step}`;
  const png = contactSheet(cells, { title, shape: inputShape, columns: COLUMNS });
  await writeFile(options.output, png).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FidelisError('STORAGE.UNWRITABLE', `cannot write ${options.output}: ${reason}`, { cause });
  });
  output.result(
    { file: options.output, view, step: options.step, samples: count, of: batch.ids.length },
    () =>
      [
        `${options.output}: ${count} of ${batch.ids.length} samples of step ${options.step}`,
        batch.originals === undefined
          ? '  as the network sees them: a table has no augmentation'
          : '  above as they are, below as the network sees them',
      ].join('\n'),
  );
  return EXIT.ok;
}

async function viewOf(subject: string, options: PreviewOptions): Promise<ViewSpec> {
  if (/^\.(ya?ml|json)$/.test(extname(subject))) {
    const { spec } = await readSpec(subject, datasetsHere());
    return resolved(spec, spec.dataset, spec.seed, spec.student.batchSize);
  }
  const { train } = datasetInfo(subject).splits;
  const result = viewSpecFieldSchema.safeParse({
    kind: 'sequence',
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...(options.append === undefined ? {} : { append: appendOf(options.append, options.appendSize) }),
    ...(options.synthetic === undefined ? {} : { synthetic: { dataset: options.synthetic } }),
  });
  if (!result.success) {
    const problem = result.error.issues.map(({ message }) => message).join('; ');
    throw new FidelisError('REQUEST.INVALID', `${problem} (here with --append or --synthetic)`);
  }
  return resolved({ view: result.data }, subject, 0, Math.min(BATCH_SIZE, train));
}

function appendOf(dataset: string, size: number | undefined): { dataset: string; size?: number } {
  return { dataset, ...(size === undefined ? {} : { size }) };
}

async function resolved(
  { view }: Pick<ExperimentSpec, 'view'>,
  name: string,
  seed: number,
  batchSize: number,
): Promise<ViewSpec> {
  const refs = new Map<string, DatasetRef>();
  for (const each of new Set([name, ...otherDatasets(view)])) refs.set(each, await datasetRefOf(each));
  const refOf = (each: string): DatasetRef => refs.get(each) ?? { name: each, digest: '' };
  return resolveView(view, { dataset: refOf(name), split: 'train', seed, batchSize, refOf });
}

async function batchOf(dataset: Dataset, spec: ViewSpec, step: number): Promise<Batch> {
  if (spec.kind === 'table') {
    const view = createTableView(dataset, spec);
    const { ids, inputs } = view.chunk(step);
    return { ids, inputs, originals: undefined, labels: view.labels(ids) };
  }
  const view = createSequenceView(dataset, spec, await loadOthers(spec));
  const batch = view.batch(step);
  return { ...batch, originals: view.originals(batch.ids) };
}

function labelText({ classNames }: Dataset, { labels }: Batch, row: number): string {
  const label = labels[row] ?? NO_LABEL;
  return label === NO_LABEL ? 'no label' : (classNames[label] ?? String(label));
}

function whatIsDone(view: ViewSpec): string {
  if (view.kind === 'table') return 'table';
  const steps = [
    ...view.augmentation.map(({ kind }) => kind),
    ...(view.append === undefined ? [] : [`append ${view.append.dataset.name}`]),
    ...(view.synthetic === undefined ? [] : [`synthetic ${view.synthetic.dataset.name}`]),
  ];
  return steps.length === 0 ? 'without augmentation' : steps.join(' + ');
}
