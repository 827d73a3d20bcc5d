/**
 * Values that Python and TypeScript compute alike, bit for bit, so that weights and inputs need no files: the words of `formula.py`, whose
 * comments say what they are.
 */

function seedOf(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

/** 32-bit words that depend on the name. */
export function words(name: string, count: number): Uint32Array {
  const seed = seedOf(name);
  const result = new Uint32Array(count);
  for (let place = 0; place < count; place++) {
    let value = (Math.imul(place, 0x9e3779b1) + seed) >>> 0;
    value ^= value >>> 16;
    value = Math.imul(value, 0x85ebca6b);
    value ^= value >>> 13;
    value = Math.imul(value, 0xc2b2ae35);
    result[place] = value ^ (value >>> 16);
  }
  return result;
}

/** Multiples of 2^−23 in [−1, 1), times a scale and added to a base that leave them exact. */
export function uniform(name: string, count: number, scale = 1, base = 0): Float32Array {
  const values = new Float32Array(count);
  const drawn = words(name, count);
  for (let i = 0; i < count; i++) values[i] = base + (((drawn[i] ?? 0) >>> 8) / 2 ** 23 - 1) * scale;
  return values;
}

/** A tensor of a network under PyTorch's name and in its layout. */
export function weight(name: string, shape: readonly number[], smooth: number): Float32Array {
  const normalises = /\.bn|^bn|\.downsample\.1/.test(name);
  const values = plainWeight(name, shape, normalises, smooth);
  if (smooth === 0 || !normalises || shape.length !== 1 || name.includes('running')) return values;
  const sides = words(`${name.slice(0, name.lastIndexOf('.'))}:side`, values.length);
  const alwaysOn = /\.bn3|\.downsample\.1/.test(name);
  return values.map((value, i) => {
    const side = sides[i] ?? 0;
    if (i % smooth === 0) return value;
    if (name.endsWith('weight')) return value / 8;
    const size = 1 + Math.abs(value);
    return alwaysOn || side >>> 31 === 1 ? size : -size;
  });
}

function plainWeight(
  name: string,
  shape: readonly number[],
  normalises: boolean,
  smooth: number,
): Float32Array {
  const count = shape.reduce((product, length) => product * length, 1);
  if (name.endsWith('running_var')) {
    const factor = smooth > 2 ** 16 ? 64 : 1;
    return uniform(name, count, factor / 2, factor);
  }
  if (name.endsWith('running_mean')) return uniform(name, count, 1 / 4);
  if (shape.length === 1) {
    return normalises && name.endsWith('weight')
      ? uniform(name, count, 1 / 4, 1)
      : uniform(name, count, 1 / 8);
  }
  const fanIn = name === 'embed.weight' ? 2 : shape.slice(1).reduce((product, length) => product * length, 1);
  return uniform(name, count, 2 ** Math.round(Math.log2(Math.sqrt(6 / fanIn))));
}
