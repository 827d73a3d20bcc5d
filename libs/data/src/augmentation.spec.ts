import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augment } from './augmentation.js';
import { shift } from './image-geometry.js';

const shape = { height: 3, width: 4, channels: 1 };
const image = Uint8Array.from({ length: 12 }, (_, i) => i + 1);

function rows(bytes: Uint8Array): number[][] {
  return [0, 4, 8].map((start) => [...bytes.subarray(start, start + 4)]);
}

describe('shift', () => {
  it('moves right and down, and leaves zeros', () => {
    expect(rows(shift(image, shape, 1, 1))).toEqual([
      [0, 0, 0, 0],
      [0, 1, 2, 3],
      [0, 5, 6, 7],
    ]);
  });

  it('moves left and up', () => {
    expect(rows(shift(image, shape, -2, -1))).toEqual([
      [7, 8, 0, 0],
      [11, 12, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('keeps the channels of a pixel together', () => {
    const colour = Uint8Array.of(1, 2, 3, 4, 5, 6);
    expect([...shift(colour, { height: 1, width: 2, channels: 3 }, 1, 0)]).toEqual([0, 0, 0, 1, 2, 3]);
  });

  it('agrees with its definition pixel by pixel, also beyond the image', () => {
    const offset = fc.integer({ min: -6, max: 6 });
    fc.assert(
      fc.property(offset, offset, (right, down) => {
        const expected = Uint8Array.from({ length: 12 }, (_, i) => {
          const row = Math.floor(i / 4) - down;
          const column = (i % 4) - right;
          const inside = row >= 0 && row < 3 && column >= 0 && column < 4;
          return inside ? (image[row * 4 + column] ?? 0) : 0;
        });
        expect(shift(image, shape, right, down)).toEqual(expected);
      }),
    );
  });
});

describe('augment', () => {
  it('draws every shift from −maxPixels to maxPixels about equally often, and no other', () => {
    const seen = new Map<string, number>();
    for (let id = 0; id < 4_500; id++) {
      const bytes = augment(image, shape, [{ kind: 'random-shift', maxPixels: 1 }], {
        seed: 0,
        epoch: 0,
        id,
      });
      const form = bytes.join();
      seen.set(form, (seen.get(form) ?? 0) + 1);
    }
    const possible = [-1, 0, 1].flatMap((right) =>
      [-1, 0, 1].map((down) => shift(image, shape, right, down).join()),
    );
    expect(new Set(seen.keys())).toEqual(new Set(possible));
    for (const count of seen.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });

  it('gives two shifts of one policy draws of their own', () => {
    const step = { kind: 'random-shift', maxPixels: 1 } as const;
    const offsets = Array.from({ length: 1_000 }, (_, id) =>
      augment(image, { height: 1, width: 12, channels: 1 }, [step, step], { seed: 0, epoch: 0, id }).indexOf(
        6,
      ),
    );
    // Equal draws could only move by 0 or 2 pixels in all.
    expect(new Set(offsets.filter((offset) => offset >= 0))).toEqual(new Set([3, 4, 5, 6, 7]));
  });

  it('does not write to the sample', () => {
    const sample = image.slice();
    augment(sample, shape, [{ kind: 'random-shift', maxPixels: 3 }], { seed: 0, epoch: 0, id: 1 });
    expect(sample).toEqual(image);
  });
});
