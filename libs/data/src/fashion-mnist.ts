import { existsSync } from 'node:fs';
import path from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import type { IdxSource } from './idx-dataset.js';

/** Where Debian's package dataset-fashion-mnist puts the files. */
const DEBIAN_DIRECTORY = '/usr/share/datasets/fashion-mnist';

/** The files of Fashion-MNIST in a directory, with the checksums of their uncompressed bytes. */
export function fashionMnistFiles(directory: string): IdxSource {
  return {
    name: 'fashion-mnist',
    classNames: [
      'T-shirt/top',
      'trouser',
      'pullover',
      'dress',
      'coat',
      'sandal',
      'shirt',
      'sneaker',
      'bag',
      'ankle boot',
    ],
    directory,
    advice: 'install the Debian package dataset-fashion-mnist again, or download the four files again',
    files: {
      train: {
        images: { name: 'train-images-idx3-ubyte', md5: 'f4a8712d7a061bf5bd6d2ca38dc4d50a' },
        labels: { name: 'train-labels-idx1-ubyte', md5: '9018921c3c673c538a1fc5bad174d6f9' },
      },
      test: {
        images: { name: 't10k-images-idx3-ubyte', md5: '8181f5470baa50b63fa0f6fddb340f0a' },
        labels: { name: 't10k-labels-idx1-ubyte', md5: '15d484375f8d13e6eb1aabb0c3f46965' },
      },
    },
  };
}

/**
 * The Debian package's files.
 *
 * @throws FidelisError SETUP.MISSING if it is not installed
 */
export function fashionMnistSource(): IdxSource {
  const source = fashionMnistFiles(DEBIAN_DIRECTORY);
  if (existsSync(path.join(DEBIAN_DIRECTORY, `${source.files.train.images.name}.gz`))) return source;
  throw new FidelisError(
    'SETUP.MISSING',
    'Fashion-MNIST is not installed: install the Debian package dataset-fashion-mnist, or add the four official files with ' +
      '`fidelis data add <directory> --name fashion-mnist`',
    { details: { directory: DEBIAN_DIRECTORY } },
  );
}
