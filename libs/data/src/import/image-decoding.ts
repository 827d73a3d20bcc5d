import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { greyAt } from '../colour-jitter.js';
import { resizeImage } from './image-resize.js';

/** An image as a dataset has it. */
export interface DecodedImage {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** [height][width][channels] */
  readonly bytes: Uint8Array;
}

/** 8,192 × 8,192. */
const MOST_PIXELS = 2 ** 26;

/** Decodes JPEG (baseline and progressive; MozJPEG in WebAssembly) and PNG (fast-png): the same bytes on every machine. */
export type ImageDecoder = (bytes: Uint8Array) => Promise<DecodedImage>;

export async function createImageDecoder(): Promise<ImageDecoder> {
  const [decodeJpeg, png] = await Promise.all([jpegDecoder(), import('fast-png')]);
  return async (bytes) => {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) {
      requirePixels(jpegFrame(bytes));
      return decodeJpeg(bytes);
    }
    if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x89PNG') {
      requirePixels(pngFrame(bytes));
      const image = png.decode(bytes, { checkCrc: true });
      const { width, height, channels, depth, data, palette } = image;
      if (palette !== undefined) {
        const colours = png.convertIndexedToRgb(image);
        return { width, height, ...withoutAlpha(colours, colours.length / (width * height)) };
      }
      if (depth !== 8 || !(data instanceof Uint8Array)) {
        throw new Error(`it has ${depth} bits a channel where 8 are read`);
      }
      return { width, height, ...withoutAlpha(data, channels) };
    }
    throw new Error('it begins like neither a JPEG nor a PNG');
  };
}

async function jpegDecoder(): Promise<ImageDecoder> {
  const resolve = createRequire(import.meta.url).resolve;
  const { default: decode, init } = await import('@jsquash/jpeg/decode.js');
  const file = await readFile(resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'));
  const wasmBinary = Uint8Array.from(file).buffer;
  const complaints: string[] = [];
  const start = (): Promise<void> =>
    init({ wasmBinary, printErr: (line: string) => void complaints.push(line) });
  await start();
  return async (bytes) => {
    complaints.length = 0;
    // The decoder takes an ArrayBuffer of just these bytes.
    const image = await decode(Uint8Array.from(bytes).buffer).catch(async (cause: unknown) => {
      const reason = complaints.join('; ');
      await start();
      throw new Error(reason === '' ? 'it cannot be decoded' : reason, { cause });
    });
    // It fills in what is missing with grey and only says so.
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    const channels = jpegFrame(bytes)?.components === 1 ? 1 : 3;
    const { width, height } = image;
    const rgba = new Uint8Array(image.data.buffer, image.data.byteOffset, image.data.byteLength);
    return { width, height, channels, bytes: pickChannels(rgba, 4, channels) };
  };
}

interface Frame {
  readonly height: number;
  readonly width: number;
  /** 1 is grey. */
  readonly components: number;
}

/** What the frame header (SOF) says. */
function jpegFrame(bytes: Uint8Array): Frame | undefined {
  const word = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  for (let at = 2; at + 9 < bytes.length;) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || marker === 0xda) return undefined;
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (frame) return { height: word(at + 5), width: word(at + 7), components: bytes[at + 9] ?? 3 };
    at += 2 + word(at + 2);
  }
  return undefined;
}

/** What the first chunk (IHDR) says. */
function pngFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20), components: 3 };
}

/** A few bytes can promise gigabytes of pixels. */
function requirePixels(frame: Frame | undefined): void {
  if (frame === undefined || frame.height * frame.width <= MOST_PIXELS) return;
  throw new Error(`it is ${frame.height}×${frame.width}, and at most ${MOST_PIXELS} pixels are decoded`);
}

function withoutAlpha(data: Uint8Array, channels: number): { channels: 1 | 3; bytes: Uint8Array } {
  const kept = channels <= 2 ? 1 : 3;
  return { channels: kept, bytes: channels === kept ? data : pickChannels(data, channels, kept) };
}

/** The first `kept` channels of each pixel. */
function pickChannels(data: Uint8Array, channels: number, kept: number): Uint8Array {
  const pixels = data.length / channels;
  const picked = new Uint8Array(pixels * kept);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < kept; channel++) {
      picked[pixel * kept + channel] = data[pixel * channels + channel] ?? 0;
    }
  }
  return picked;
}

/** The image with the channels and the size that are wanted. */
export function fitImage(
  image: DecodedImage,
  wanted: { readonly height: number; readonly width: number; readonly channels: 1 | 3 },
): DecodedImage {
  const { height, width, channels } = wanted;
  const recoloured = withChannels(image, channels);
  if (image.height === height && image.width === width) return recoloured;
  return { height, width, channels, bytes: resizeImage(recoloured, height, width) };
}

function withChannels(image: DecodedImage, channels: 1 | 3): DecodedImage {
  if (image.channels === channels) return image;
  const pixels = image.height * image.width;
  const bytes = new Uint8Array(pixels * channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (channels === 3) bytes.fill(image.bytes[pixel] ?? 0, pixel * 3, pixel * 3 + 3);
    else bytes[pixel] = greyAt(image.bytes, pixel * 3, 3);
  }
  return { ...image, channels, bytes };
}
