import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { contactSheet } from './contact-sheet.js';

const shape = { height: 1, width: 2, channels: 3 };

it('has each image enlarged at its place, the second below the first, and black letters', () => {
  const images = [Float32Array.of(1, -1, -1, -1, 1, -1), Float32Array.of(-1, -1, 1, 0, 0, 0)];
  const cell = { images, label: 'I' };
  const png = decode(contactSheet([cell, cell, cell], { title: 't', shape, columns: 2 }));
  expect([png.width, png.channels]).toEqual([8 + 2 * (128 + 8), 3]);
  const at = (x: number, y: number): number[] => [
    ...png.data.slice((y * png.width + x) * 3, (y * png.width + x) * 3 + 3),
  ];
  const top = 30;
  for (const [x, y] of [
    [8, top],
    [144, top],
    [8, top + 2 * 66 + 18 + 8],
  ] as const) {
    expect(at(x + 5, y + 5)).toEqual([255, 0, 0]);
    expect(at(x + 127, y + 63)).toEqual([0, 255, 0]);
    expect(at(x + 5, y + 66)).toEqual([0, 0, 255]);
    expect(at(x + 100, y + 66 + 63)).toEqual([128, 128, 128]);
    // The stem of the I, in the middle of its five columns.
    expect(at(x + 4, y + 2 * 66 + 2 + 6)).toEqual([20, 20, 20]);
    expect(at(x, y + 2 * 66 + 2 + 6)).toEqual([245, 245, 245]);
  }
});
