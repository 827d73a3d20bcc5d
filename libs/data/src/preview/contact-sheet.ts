import { encode } from 'fast-png';
import type { ImageShape } from '../dataset.js';
import { GLYPH, glyphPixel } from './bitmap-font.js';

export interface SheetCell {
  /** One above the other: [height][width][channels] in [−1, 1], as the network sees it. */
  readonly images: readonly Float32Array[];
  readonly label: string;
}

export interface SheetOptions {
  readonly title: string;
  readonly shape: ImageShape;
  readonly columns: number;
}

const GAP = 8;
const TEXT_SCALE = 2;
const TEXT_HEIGHT = GLYPH.height * TEXT_SCALE;
const LETTER_WIDTH = (GLYPH.width + 1) * TEXT_SCALE;
/** Images are enlarged by a whole factor to about this width. */
const CELL_WIDTH = 128;
const PAPER = 245;
const INK = 20;

/**
 * A picture for people of what a view gives: a title, and cells with images, one above the other, and a label.
 *
 * @returns the bytes of a PNG
 */
export function contactSheet(
  cells: readonly SheetCell[],
  { title, shape, columns }: SheetOptions,
): Uint8Array {
  const scale = Math.max(1, Math.round(CELL_WIDTH / shape.width));
  const stack = Math.max(1, ...cells.map(({ images }) => images.length));
  const cellWidth = Math.max(shape.width * scale, LETTER_WIDTH * 4);
  const cellHeight = stack * (shape.height * scale + 2) + TEXT_HEIGHT + GAP / 2;
  const rows = Math.ceil(cells.length / columns);
  const top = 2 * GAP + TEXT_HEIGHT;
  const width = GAP + Math.min(columns, Math.max(1, cells.length)) * (cellWidth + GAP);
  const canvas = new Canvas(width, top + rows * (cellHeight + GAP));
  canvas.text(title, GAP, GAP, width - 2 * GAP);
  cells.forEach(({ images, label }, index) => {
    const x = GAP + (index % columns) * (cellWidth + GAP);
    const y = top + Math.floor(index / columns) * (cellHeight + GAP);
    images.forEach((image, position) =>
      canvas.image(image, shape, x, y + position * (shape.height * scale + 2), scale),
    );
    canvas.text(label, x, y + stack * (shape.height * scale + 2) + GAP / 4, cellWidth);
  });
  return encode({ width, height: canvas.height, channels: 3, data: canvas.bytes });
}

class Canvas {
  /** [height][width][3] */
  readonly bytes: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.bytes = new Uint8Array(width * height * 3).fill(PAPER);
  }

  image(
    values: Float32Array,
    { height, width, channels }: ImageShape,
    x: number,
    y: number,
    scale: number,
  ): void {
    for (let row = 0; row < height * scale; row++) {
      for (let column = 0; column < width * scale; column++) {
        const from = (Math.floor(row / scale) * width + Math.floor(column / scale)) * channels;
        for (let channel = 0; channel < 3; channel++) {
          const value = values[from + (channels === 3 ? channel : 0)] ?? 0;
          this.set(x + column, y + row, channel, Math.round(((value + 1) / 2) * 255));
        }
      }
    }
  }

  /** As much of the text as fits. */
  text(text: string, x: number, y: number, width: number): void {
    [...text].slice(0, Math.floor(width / LETTER_WIDTH)).forEach((character, index) => {
      for (let row = 0; row < TEXT_HEIGHT; row++) {
        for (let column = 0; column < GLYPH.width * TEXT_SCALE; column++) {
          if (!glyphPixel(character, Math.floor(column / TEXT_SCALE), Math.floor(row / TEXT_SCALE))) continue;
          for (let channel = 0; channel < 3; channel++)
            this.set(x + index * LETTER_WIDTH + column, y + row, channel, INK);
        }
      }
    });
  }

  private set(x: number, y: number, channel: number, value: number): void {
    if (x < this.width && y < this.height) this.bytes[(y * this.width + x) * 3 + channel] = value;
  }
}
