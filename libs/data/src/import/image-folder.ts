import { FidelisError, type Split } from '@fidelis/contracts';
import type { SplitData } from '../dataset.js';
import { folderEntries } from './folder-entries.js';
import { createImageDecoder, fitImage, type DecodedImage } from './image-decoding.js';
import {
  breathe,
  compactLabels,
  corrupt,
  refused,
  type ImportedContent,
  type ImportOptions,
} from './import-types.js';

const SPLITS = ['train', 'test'] as const satisfies readonly Split[];
/** Between two of them a progress bar is drawn and Ctrl-C is heard. */
const IMAGES_AT_ONCE = 64;
const NAMES_AT_ONCE = 1_024;

/** Where an image goes. */
interface Place {
  readonly split: Split;
  readonly index: number;
  readonly label: number;
}

interface Plan {
  readonly classNames: readonly string[];
  /** By path. */
  readonly places: ReadonlyMap<string, Place>;
  readonly sizes: Readonly<Record<Split, number>>;
}

/**
 * Images in `train/<class>/` and `test/<class>/` of a directory, a `.tar` or a `.tar.gz`. Classes are numbered by name, samples by class
 * and path, so that a directory and an archive of it are the same dataset. The source is gone through twice: for the names, and for the
 * images, which go straight to their places.
 *
 * @throws FidelisError DATASET.CORRUPT for an image that cannot be read, REQUEST.INVALID for one of another size and for splits that do
 *   not have the same classes; both name it
 */
export async function importImageFolder(source: string, options: ImportOptions): Promise<ImportedContent> {
  const plan = await planOf(source, options);
  const decode = await createImageDecoder();
  let arrays: SplitArrays | undefined;
  let first: string | undefined;
  let done = 0;
  const total = plan.places.size;
  for await (const entry of folderEntries(source)) {
    const place = plan.places.get(entry.path);
    if (place === undefined) continue;
    const bytes = await entry.read();
    const image = await decode(bytes).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw corrupt(
        `${source}: ${entry.path}`,
        `is no readable image (${reason}): replace or remove it`,
        cause,
      );
    });
    arrays ??= new SplitArrays(plan.sizes, image, options);
    first ??= entry.path;
    arrays.put(place, arrays.fitted(image, entry.path, first));
    if (++done % IMAGES_AT_ONCE === 0 || done === total) {
      options.onProgress?.({ label: 'images', done, total, unit: 'images' });
      await breathe();
      options.signal?.throwIfAborted();
    }
  }
  if (arrays === undefined || done < total) {
    throw new FidelisError('DATASET.CORRUPT', `${source} changed while it was read: try again`);
  }
  return { classNames: plan.classNames, ...arrays.content(plan.classNames.length), text: textOf(options) };
}

async function planOf(source: string, { signal, onProgress }: ImportOptions): Promise<Plan> {
  const paths: Record<Split, { path: string; className: string }[]> = { train: [], test: [] };
  const otherSplits = new Set<string>();
  const directories: string[] = [];
  const known = new Set<string>();
  let seen = 0;
  for await (const { path } of folderEntries(source, (directory) => directories.push(directory))) {
    const [split, className] = path.split('/').slice(-3);
    if (path.split('/').length < 3 || split === undefined || className === undefined) continue;
    if (known.has(path)) {
      throw corrupt(`${source}: ${path}`, 'is there twice: write the archive again');
    }
    known.add(path);
    if (split === 'train' || split === 'test') paths[split].push({ path, className });
    else otherSplits.add(split);
    if (++seen % NAMES_AT_ONCE > 0) continue;
    onProgress?.({ label: 'names', done: seen, total: 0, unit: 'files' });
    await breathe();
    signal?.throwIfAborted();
  }
  for (const split of SPLITS) {
    if (paths[split].length > 0) continue;
    const others =
      otherSplits.size === 0 ? '' : `; there is ${[...otherSplits].sort().slice(0, 5).join(', ')}`;
    throw refused(
      `${source} has no images in ${split}/<class>/${others}. An image folder has train/<class>/*.jpg|png and test/<class>/*.jpg|png`,
      { path: source, split },
    );
  }
  const classNames = sameClasses(source, paths);
  refuseEmptyClasses(source, directories, known);
  const places = new Map<string, Place>();
  for (const split of SPLITS) {
    const labelled = paths[split].map(({ path, className }) => ({
      path,
      label: classNames.indexOf(className),
    }));
    labelled.sort((a, b) => a.label - b.label || (a.path < b.path ? -1 : 1));
    labelled.forEach(({ path, label }, index) => places.set(path, { split, index, label }));
  }
  return { classNames, places, sizes: { train: paths.train.length, test: paths.test.length } };
}

/** A class without images is more likely a mistake than a class, and to leave it out would number the others anew. */
function refuseEmptyClasses(
  source: string,
  directories: readonly string[],
  files: ReadonlySet<string>,
): void {
  const filled = new Set([...files].map((file) => file.slice(0, file.lastIndexOf('/'))));
  const empty = directories.filter((directory) => {
    const split = directory.split('/').at(-2);
    return (split === 'train' || split === 'test') && !filled.has(directory);
  });
  if (empty.length === 0) return;
  throw refused(`${source}: no images are in ${empty.sort().join(', ')}: put some there or remove it`, {
    empty,
  });
}

function sameClasses(source: string, paths: Record<Split, { className: string }[]>): string[] {
  const [train, test] = SPLITS.map((split) => new Set(paths[split].map(({ className }) => className)));
  const only = (a: Set<string> | undefined, b: Set<string> | undefined): string[] =>
    [...(a ?? [])].filter((name) => !(b ?? new Set()).has(name)).sort();
  const [trainOnly, testOnly] = [only(train, test), only(test, train)];
  if (trainOnly.length > 0 || testOnly.length > 0) {
    const said = [
      ...(trainOnly.length > 0 ? [`train has ${trainOnly.join(', ')}, which test has not`] : []),
      ...(testOnly.length > 0 ? [`test has ${testOnly.join(', ')}, which train has not`] : []),
    ];
    throw refused(`${source}: the class folders of the splits differ: ${said.join('; ')}`, {
      trainOnly,
      testOnly,
    });
  }
  return [...(train ?? [])].sort();
}

/** The arrays of a dataset that is being read. */
class SplitArrays {
  private readonly height: number;
  private readonly width: number;
  private readonly channels: 1 | 3;
  private readonly length: number;
  private readonly inputs: Record<Split, Uint8Array>;
  private readonly labels: Record<Split, number[]>;

  constructor(
    sizes: Readonly<Record<Split, number>>,
    first: DecodedImage,
    private readonly options: ImportOptions,
  ) {
    ({ height: this.height, width: this.width } = options.resize ?? first);
    this.channels = options.channels ?? first.channels;
    this.length = this.height * this.width * this.channels;
    this.inputs = {
      train: imageArray(sizes.train, this.length),
      test: imageArray(sizes.test, this.length),
    };
    this.labels = {
      train: new Array<number>(sizes.train).fill(0),
      test: new Array<number>(sizes.test).fill(0),
    };
  }

  fitted(image: DecodedImage, path: string, first: string): DecodedImage {
    const { height, width, channels, options } = this;
    if (options.resize === undefined && (image.height !== height || image.width !== width)) {
      throw refused(
        `image ${path} is ${image.height}×${image.width}, and ${first} is ${height}×${width}: give --resize ${height}x${width} to bring all to one size`,
        { file: path, size: [image.height, image.width], expected: [height, width] },
      );
    }
    if (options.channels === undefined && image.channels !== channels) {
      const kind = (count: number): string => (count === 1 ? 'grey' : 'in colour');
      throw refused(
        `image ${path} is ${kind(image.channels)}, and ${first} is ${kind(channels)}: give --channels 3 (or 1) to make all alike`,
        { file: path },
      );
    }
    return fitImage(image, { height, width, channels });
  }

  put({ split, index, label }: Place, { bytes }: DecodedImage): void {
    this.inputs[split].set(bytes, index * this.length);
    this.labels[split][index] = label;
  }

  content(classes: number): Pick<ImportedContent, 'inputShape' | 'splits'> {
    const splitOf = (split: Split): SplitData => ({
      size: this.labels[split].length,
      inputs: this.inputs[split],
      labels: compactLabels(this.labels[split], classes),
    });
    const { height, width, channels } = this;
    return {
      inputShape: { height, width, channels },
      splits: { train: splitOf('train'), test: splitOf('test') },
    };
  }
}

function imageArray(images: number, length: number): Uint8Array {
  try {
    return new Uint8Array(images * length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refused(
      `${images} images of ${length} bytes each are more than there is memory for: give a smaller --resize HEIGHTxWIDTH`,
    );
  }
}

function textOf({ resize }: ImportOptions): ImportedContent['text'] {
  return {
    title: 'images in folders',
    description: `Decoded from JPEG or PNG${resize === undefined ? '' : `, and resized to ${resize.height}×${resize.width}`}.`,
    license: 'not stated',
    source: 'an image folder',
  };
}
