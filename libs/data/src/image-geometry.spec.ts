import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flipHorizontally, flipVertically, rotate } from './image-geometry.js';
import { cosine, sine } from './trigonometry.js';

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

  it('leaves zeros where nothing comes from', () => {
    const white = new Uint8Array(64).fill(255);
    const turned = rotate(white, { height: 8, width: 8, channels: 1 }, 45);
    expect([turned[0], turned[7], turned[63], turned[27]]).toEqual([0, 0, 0, 255]);
  });
});

describe('sine and cosine', () => {
  it('are those of the engine to 15 digits, and exact where that matters', () => {
    fc.assert(
      fc.property(fc.double({ min: -180, max: 180, noNaN: true }), (degrees) => {
        const radians = (degrees * Math.PI) / 180;
        expect(Math.abs(sine(degrees) - Math.sin(radians))).toBeLessThan(3e-15);
        expect(Math.abs(cosine(degrees) - Math.cos(radians))).toBeLessThan(3e-15);
      }),
    );
    expect([sine(0), cosine(0)]).toEqual([0, 1]);
  });
});
