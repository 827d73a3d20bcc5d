import { createDataset, type Dataset } from './dataset.js';

/** `size` training images of 3×4 grey pixels with distinct bytes, 8 test images, labels 0, 1, 2, 0, … */
export function tinyDataset(size = 50): Dataset {
  const split = (samples: number, salt: number): Dataset['splits']['train'] => ({
    size: samples,
    inputs: Uint8Array.from({ length: samples * 12 }, (_, i) => 1 + ((i * 37 + salt + (i >>> 8)) % 255)),
    labels: Uint8Array.from({ length: samples }, (_, i) => i % 3),
  });
  return createDataset({
    name: 'tiny',
    classNames: ['a', 'b', 'c'],
    inputShape: { height: 3, width: 4, channels: 1 },
    splits: { train: split(size, 0), test: split(8, 11) },
  });
}
