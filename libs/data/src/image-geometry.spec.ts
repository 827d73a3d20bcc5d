import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { flipHorizontally, flipVertically, rotate } from './image-geometry.js';

const shape = { height: 2, width: 3, channels: 2 };
const image = Uint8Array.of(11, 12, 21, 22, 31, 32, 41, 42, 51, 52, 61, 62);

describe('flips', () => {
  it('turn rows and columns round, and leave the channels of a pixel in order', () => {
    expect([...flipHorizontally(image, shape)]).toEqual([31, 32, 21, 22, 11, 12, 61, 62, 51, 52, 41, 42]);
    expect([...flipVertically(image, shape)]).toEqual([41, 42, 51, 52, 61, 62, 11, 12, 21, 22, 31, 32]);
  });
});

describe('rotate', () => {
  const square = { height: 3, width: 3, channels: 1 };
  const digits = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);

  it.each([
    [0, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [90, [3, 6, 9, 2, 5, 8, 1, 4, 7]],
    [180, [9, 8, 7, 6, 5, 4, 3, 2, 1]],
    [-90, [7, 4, 1, 8, 5, 2, 9, 6, 3]],
  ])('by %i° counter-clockwise', (degrees, expected) => {
    expect([...rotate(digits, square, degrees)]).toEqual(expected);
  });

  it('gives the bytes that it always gave', () => {
    const shape = { height: 28, width: 32, channels: 1 };
    const noise = Uint8Array.from({ length: 28 * 32 }, (_, i) => (i * 167 + (i >>> 3) * 59) % 251);
    const hash = createHash('sha256');
    for (let draw = 0; draw < 2_000; draw++) {
      const unit = (Math.imul(draw + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
      for (const degrees of [20, 90, 180]) hash.update(rotate(noise, shape, (2 * unit - 1) * degrees));
    }
    expect(hash.digest('hex')).toBe('e7614960de826fac4c221643b872afa9b2dc0453af43dc2710bc63f5a0d7fba4');
  });

  it('leaves zeros where nothing comes from', () => {
    const white = new Uint8Array(64).fill(255);
    const turned = rotate(white, { height: 8, width: 8, channels: 1 }, 45);
    expect([turned[0], turned[7], turned[63], turned[27]]).toEqual([0, 0, 0, 255]);
  });
});
