import { access } from 'node:fs/promises';
import path from 'node:path';
import { fashionMnistFiles } from '../fashion-mnist.js';
import { loadIdxDataset, type IdxSource } from '../idx-dataset.js';
import { refused, type ImportedContent } from './import-types.js';

/** The official four files of Fashion-MNIST, compressed or not, each held to its checksum. */
export async function importFashionMnist(source: string): Promise<ImportedContent> {
  return {
    ...(await contentOf(fashionMnistFiles(source))),
    text: {
      title: 'Fashion-MNIST articles of clothing',
      description: 'Grey 28×28 images of ten kinds of clothing.',
      license: 'Zalando SE, MIT',
      source: 'the official IDX files',
    },
  };
}

/** Four files in the format and with the names of MNIST's, compressed or not, of whatever they show. */
export async function importIdx(source: string): Promise<ImportedContent> {
  const named = fashionMnistFiles(source).files;
  const unchecked = (file: { readonly name: string }): { name: string; md5: undefined } => ({
    name: file.name,
    md5: undefined,
  });
  const files = {
    train: { images: unchecked(named.train.images), labels: unchecked(named.train.labels) },
    test: { images: unchecked(named.test.images), labels: unchecked(named.test.labels) },
  };
  // As many classes as a byte can tell apart, until the labels are seen.
  const classNames = Array.from({ length: 256 }, (_, label) => String(label));
  const content = await contentOf({
    name: 'idx',
    classNames,
    directory: source,
    advice: 'copy it again',
    files,
  });
  const { train, test } = content.splits;
  const classes = [...train.labels, ...test.labels].reduce((most, label) => Math.max(most, label), 0) + 1;
  return {
    ...content,
    classNames: classNames.slice(0, classes),
    text: { title: 'IDX files', description: 'Grey images.', license: 'not stated', source: 'IDX files' },
  };
}

async function contentOf(source: IdxSource): Promise<Omit<ImportedContent, 'text'>> {
  for (const { name } of Object.values(source.files).flatMap(({ images, labels }) => [images, labels])) {
    const location = path.join(source.directory, name);
    if (await exists(location)) continue;
    if (await exists(`${location}.gz`)) continue;
    throw refused(`${source.directory} has no ${name} and no ${name}.gz`, { file: location });
  }
  const { classNames, inputShape, splits } = await loadIdxDataset(source);
  return { classNames, inputShape, splits };
}

async function exists(location: string): Promise<boolean> {
  return access(location).then(
    () => true,
    () => false,
  );
}
