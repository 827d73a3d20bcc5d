import type { ImageShape } from '../dataset.js';

/** What one output pixel is made of, along one axis. */
interface Taps {
  readonly first: number;
  /** They add up to 1. */
  readonly weights: readonly number[];
}

/**
 * An image of another size: bilinear, and where it gets smaller over as many pixels as fall into one (a triangle filter, as Pillow's
 * BILINEAR). With + − × ÷ alone: the same bytes on every machine.
 *
 * @returns [height][width][channels], new
 */
export function resizeImage(
  { height: fromHeight, width: fromWidth, channels, bytes }: ImageShape & { readonly bytes: Uint8Array },
  height: number,
  width: number,
): Uint8Array {
  const across = filterTaps(fromWidth, width);
  const narrowed = new Float64Array(fromHeight * width * channels);
  for (let row = 0; row < fromHeight; row++) {
    for (let column = 0; column < width; column++) {
      const { first, weights } = across[column] ?? NOTHING;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        weights.forEach((weight, tap) => {
          sum += weight * (bytes[(row * fromWidth + first + tap) * channels + channel] ?? 0);
        });
        narrowed[(row * width + column) * channels + channel] = sum;
      }
    }
  }
  const rowValues = width * channels;
  const resized = new Uint8Array(height * rowValues);
  filterTaps(fromHeight, height).forEach(({ first, weights }, row) => {
    for (let at = 0; at < rowValues; at++) {
      let sum = 0;
      weights.forEach((weight, tap) => {
        sum += weight * (narrowed[(first + tap) * rowValues + at] ?? 0);
      });
      resized[row * rowValues + at] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
    }
  });
  return resized;
}

const NOTHING: Taps = { first: 0, weights: [] };

function filterTaps(from: number, to: number): Taps[] {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  return Array.from({ length: to }, (_, position) => {
    const centre = (position + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const end = Math.min(from, Math.floor(centre + reach + 0.5));
    const weights = Array.from({ length: end - first }, (__, tap) =>
      Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / reach),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}
