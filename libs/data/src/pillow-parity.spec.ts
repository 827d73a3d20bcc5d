import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { changeBrightness, changeContrast, changeHue, changeSaturation } from './colour-jitter.js';
import { rotate } from './image-geometry.js';

interface Golden {
  readonly cases: readonly {
    readonly shape: readonly [number, number, number];
    readonly bytes: string;
    readonly outputs: readonly {
      readonly operation: string;
      readonly parameter: number;
      readonly bytes: string;
    }[];
  }[];
}

const file = new URL('../../../test/parity/augmentation/golden/augmentation.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as Golden;
const decoded = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

function apply(
  operation: string,
  image: Uint8Array,
  [height, width, channels]: readonly number[],
  parameter: number,
): Uint8Array {
  const shape = { height: height ?? 0, width: width ?? 0, channels: channels ?? 0 };
  switch (operation) {
    case 'rotate':
      return rotate(image, shape, parameter);
    case 'brightness':
      changeBrightness(image, parameter);
      return image;
    case 'contrast':
      changeContrast(image, shape.channels, parameter);
      return image;
    case 'saturation':
      changeSaturation(image, shape.channels, parameter);
      return image;
    case 'hue':
      changeHue(image, shape.channels, parameter);
      return image;
    default:
      throw new Error(`no operation ${operation}`);
  }
}

const outputs = cases.flatMap(({ shape, bytes, outputs: all }) =>
  all.map(({ operation, parameter, bytes: expected }) => ({
    operation,
    parameter,
    size: shape.join('×'),
    shape,
    image: decoded(bytes),
    expected: decoded(expected),
  })),
);

it.each(outputs)(
  '$operation by $parameter of $size pixels gives the bytes of Pillow',
  ({ operation, parameter, shape, image, expected }) => {
    expect(apply(operation, image, shape, parameter)).toEqual(expected);
  },
);
