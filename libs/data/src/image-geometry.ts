import type { ImageShape } from './dataset.js';
import { sineAndCosine } from './trigonometry.js';

/** Moves the image by whole pixels; what was outside is the byte 0 (−1 after scaling). */
export function shift(
  bytes: Uint8Array,
  { height, width, channels }: ImageShape,
  right: number,
  down: number,
): Uint8Array {
  const shifted = new Uint8Array(bytes.length);
  const firstColumn = Math.max(0, -right);
  const columns = width - Math.abs(right);
  if (columns <= 0) return shifted;
  for (let row = Math.max(0, down); row < Math.min(height, height + down); row++) {
    const from = ((row - down) * width + firstColumn) * channels;
    shifted.set(
      bytes.subarray(from, from + columns * channels),
      (row * width + firstColumn + right) * channels,
    );
  }
  return shifted;
}

/** Upside down. */
export function flipVertically(bytes: Uint8Array, { height, width, channels }: ImageShape): Uint8Array {
  const flipped = new Uint8Array(bytes.length);
  const rowBytes = width * channels;
  for (let row = 0; row < height; row++) {
    flipped.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), (height - 1 - row) * rowBytes);
  }
  return flipped;
}

/** Mirrored: left is right. */
export function flipHorizontally(bytes: Uint8Array, { width, channels }: ImageShape): Uint8Array {
  const flipped = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += channels) {
    const pixel = at / channels;
    const column = pixel % width;
    const to = (pixel - column + width - 1 - column) * channels;
    for (let channel = 0; channel < channels; channel++) flipped[to + channel] = bytes[at + channel] ?? 0;
  }
  return flipped;
}

/** Fractions of a pixel that a position is held to. */
const FIXED = 65_536;

/**
 * Turned counter-clockwise about the centre; each pixel takes the nearest one of the original (torchvision's default), and what was
 * outside is the byte 0. Positions are whole 65,536ths of a pixel, as in Pillow, so that pixels on a border fall to the same side.
 *
 * @param degrees −180…180
 */
export function rotate(
  bytes: Uint8Array,
  { height, width, channels }: ImageShape,
  degrees: number,
): Uint8Array {
  const rotated = new Uint8Array(bytes.length);
  const [sin, cos] = sineAndCosine(degrees / 360);
  const [cosStep, sinStep] = [fixed(cos), fixed(sin)];
  // Where the centre of the first pixel comes from; one to the right adds (cos, sin), one down (−sin, cos).
  const [x, y] = [0.5 - width / 2, 0.5 - height / 2];
  const firstColumn = fixed(cos * x - sin * y + width / 2);
  const firstRow = fixed(sin * x + cos * y + height / 2);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const fromColumn = Math.floor((firstColumn + column * cosStep - row * sinStep) / FIXED);
      const fromRow = Math.floor((firstRow + column * sinStep + row * cosStep) / FIXED);
      if (fromColumn < 0 || fromColumn >= width || fromRow < 0 || fromRow >= height) continue;
      const from = (fromRow * width + fromColumn) * channels;
      const to = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++) rotated[to + channel] = bytes[from + channel] ?? 0;
    }
  }
  return rotated;
}

function fixed(value: number): number {
  return Math.floor(value * FIXED + 0.5);
}
