/** Pixels of a character, without the space after it. */
export const GLYPH = { width: 5, height: 7 } as const;

/** Rows of five bits from the top down, as two hexadecimal digits each. */
const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '00000000000000',
  a: '0e11111f111111',
  b: '1e11111e11111e',
  c: '0e11101010110e',
  d: '1e11111111111e',
  e: '1f10101e10101f',
  f: '1f10101e101010',
  g: '0e11101711110f',
  h: '1111111f111111',
  i: '0e04040404040e',
  j: '0702020202120c',
  k: '11121418141211',
  l: '1010101010101f',
  m: '111b1515111111',
  n: '11191513111111',
  o: '0e11111111110e',
  p: '1e11111e101010',
  q: '0e11111115120d',
  r: '1e11111e141211',
  s: '0f10100e01011e',
  t: '1f040404040404',
  u: '1111111111110e',
  v: '11111111110a04',
  w: '11111115151b11',
  x: '11110a040a1111',
  y: '11110a04040404',
  z: '1f01020408101f',
  '0': '0e11131519110e',
  '1': '040c040404040e',
  '2': '0e11010204081f',
  '3': '1f02040201110e',
  '4': '02060a121f0202',
  '5': '1f101e0101110e',
  '6': '0608101e11110e',
  '7': '1f010204080808',
  '8': '0e11110e11110e',
  '9': '0e11110f01020c',
  '-': '0000001f000000',
  _: '0000000000001f',
  '.': '00000000000c0c',
  ',': '000000000c0408',
  ':': '000c0c000c0c00',
  '/': '01010204081010',
  '+': '0004041f040400',
  '(': '02040808080402',
  ')': '08040202020408',
  '?': '0e110102040004',
};

/** Whether the pixel of a character is set. There are capitals only; what has no glyph is a question mark. */
export function glyphPixel(character: string, column: number, row: number): boolean {
  const glyph = GLYPHS[character.toLowerCase()] ?? GLYPHS['?'] ?? '';
  const bits = Number.parseInt(glyph.slice(row * 2, row * 2 + 2), 16);
  return ((bits >> (GLYPH.width - 1 - column)) & 1) === 1;
}
