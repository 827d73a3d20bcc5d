import type { AugmentationSpec } from '@fidelis/contracts';
import type { Draws } from './augmentation.js';
import type { ImageShape } from './dataset.js';

type ColourJitter = Extract<AugmentationSpec, { kind: 'color-jitter' }>;

/** Draws 0…2 decide the order, the rest the factors. */
const FACTOR_DRAWS = { brightness: 3, contrast: 4, saturation: 5, hue: 6 } as const;

/**
 * Brightness, contrast, saturation and hue, each by a factor of its own, in an order drawn for the image (torchvision's ColorJitter,
 * with the arithmetic of its images of bytes). Grey images have no saturation and no hue to change.
 *
 * @returns a new array
 */
export function changeColours(
  bytes: Uint8Array,
  { channels }: ImageShape,
  jitter: ColourJitter,
  draws: Draws,
): Uint8Array {
  const image = bytes.slice();
  const factor = (name: 'brightness' | 'contrast' | 'saturation'): number =>
    draws.between(FACTOR_DRAWS[name], Math.max(0, 1 - jitter[name]), 1 + jitter[name]);
  const changes = [
    () => changeBrightness(image, factor('brightness')),
    () => changeContrast(image, channels, factor('contrast')),
    () => changeSaturation(image, channels, factor('saturation')),
    () => changeHue(image, channels, draws.between(FACTOR_DRAWS.hue, -jitter.hue, jitter.hue)),
  ];
  for (let position = 0; position < 4; position++) {
    const rest = 4 - position;
    const [change] = changes.splice(rest === 1 ? 0 : draws.below(position, rest), 1);
    change?.();
  }
  return image;
}

/** In place: towards black (0) or away from it. */
export function changeBrightness(image: Uint8Array, factor: number): void {
  for (let at = 0; at < image.length; at++) image[at] = blend(0, image[at] ?? 0, factor);
}

/** In place: towards the image's mean grey (0) or away from it. */
export function changeContrast(image: Uint8Array, channels: number, factor: number): void {
  let sum = 0;
  for (let at = 0; at < image.length; at += channels) sum += greyAt(image, at, channels);
  const mean = Math.floor(sum / (image.length / channels) + 0.5);
  for (let at = 0; at < image.length; at++) image[at] = blend(mean, image[at] ?? 0, factor);
}

/** In place: towards grey (0) or away from it. */
export function changeSaturation(image: Uint8Array, channels: number, factor: number): void {
  if (channels !== 3) return;
  for (let at = 0; at < image.length; at += 3) {
    const grey = greyAt(image, at, 3);
    for (let channel = 0; channel < 3; channel++)
      image[at + channel] = blend(grey, image[at + channel] ?? 0, factor);
  }
}

/**
 * In place: turns the hue by `turn` of a circle.
 *
 * @param turn −0.5…0.5
 */
export function changeHue(image: Uint8Array, channels: number, turn: number): void {
  if (channels !== 3) return;
  const steps = Math.trunc(turn * 255);
  for (let at = 0; at < image.length; at += 3) turnHue(image, at, steps);
}

/** (1 − factor) · from + factor · to, cut to a byte. */
function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(Math.fround(factor) * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** Luma of ITU-R BT.601 in 16-bit fixed point. */
export function greyAt(image: Uint8Array, at: number, channels: number): number {
  const red = image[at] ?? 0;
  if (channels !== 3) return red;
  return (red * 19_595 + (image[at + 1] ?? 0) * 38_470 + (image[at + 2] ?? 0) * 7_471 + 0x8000) >> 16;
}

/**
 * One pixel to hue, saturation and value in bytes, its hue turned, and back (A. R. Smith: Color gamut transform pairs, 1978), with the
 * roundings of Pillow.
 */
function turnHue(image: Uint8Array, at: number, steps: number): void {
  const red = image[at] ?? 0;
  const green = image[at + 1] ?? 0;
  const blue = image[at + 2] ?? 0;
  const value = Math.max(red, green, blue);
  const spread = value - Math.min(red, green, blue);
  if (spread === 0) return;
  const saturation = Math.trunc(Math.fround(spread / value) * 255);
  const hue = (hueByte(red, green, blue, value, spread) + steps) & 0xff;
  if (saturation === 0) {
    image.fill(value, at, at + 3);
    return;
  }
  const sixths = (hue * 6) / 255;
  const sector = Math.floor(sixths);
  const rest = Math.fround(sixths - sector);
  const strength = Math.fround(saturation / 255);
  const low = rounded(value * (1 - strength));
  const falling = rounded(value * (1 - Math.fround(strength * rest)));
  const rising = rounded(value * (1 - strength * (1 - rest)));
  image.set(sectorColour(sector % 6, value, low, falling, rising), at);
}

function sectorColour(
  sector: number,
  value: number,
  low: number,
  falling: number,
  rising: number,
): readonly number[] {
  switch (sector) {
    case 0:
      return [value, rising, low];
    case 1:
      return [falling, value, low];
    case 2:
      return [low, value, rising];
    case 3:
      return [low, falling, value];
    case 4:
      return [rising, low, value];
    default:
      return [value, low, falling];
  }
}

/** Hue of a colour that is not grey: 0…255 of a circle. */
function hueByte(red: number, green: number, blue: number, value: number, spread: number): number {
  const fromRed = Math.fround((value - red) / spread);
  const fromGreen = Math.fround((value - green) / spread);
  const fromBlue = Math.fround((value - blue) / spread);
  let hue: number;
  if (red === value) hue = Math.fround(fromBlue - fromGreen);
  else if (green === value) hue = Math.fround(2 + fromRed - fromBlue);
  else hue = Math.fround(4 + fromGreen - fromRed);
  const turned = Math.fround((hue / 6 + 1) % 1);
  return Math.min(255, Math.max(0, Math.trunc(turned * 255)));
}

function rounded(value: number): number {
  return Math.min(255, Math.max(0, Math.floor(value + 0.5)));
}
