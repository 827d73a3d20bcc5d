import { readFileSync } from 'node:fs';
import type { InputKind, PairBatch } from '@fidelis/fidelity';

export interface Expectation {
  /** Where the figure is: fidelity|teacher|student, then the key; `full/` for figures of the full pass. */
  readonly path: string;
  readonly peer: string;
  /** What the peer computes in, which says how near it has to be. */
  readonly precision: 'f32' | 'f64';
  /** Null where the figure has no value. */
  readonly value: number | 'Infinity' | null;
}

export interface Vector {
  readonly name: string;
  readonly kind: InputKind;
  readonly classes: number;
  readonly batch: PairBatch;
  readonly expected: readonly Expectation[];
}

interface StoredVector extends Omit<Vector, 'batch'> {
  readonly rows: number;
  readonly dtype: 'float32' | 'float64';
  /** base64 of the little-endian array [rows][classes] */
  readonly teacher: string;
  readonly student: string;
  readonly labels: readonly number[];
}

/** The vectors that `write_vectors.py` wrote. */
export function readVectors(): Vector[] {
  const text = readFileSync(new URL('golden/vectors.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as StoredVector[]).map(({ rows, dtype, teacher, student, labels, ...vector }) => ({
    ...vector,
    batch: {
      rows,
      teacher: decode(teacher, dtype),
      student: decode(student, dtype),
      labels: Int32Array.from(labels),
    },
  }));
}

/** The edges of PyTorch, by the number of bins. */
export function readEdges(): ReadonlyMap<number, Float32Array> {
  const text = readFileSync(new URL('golden/edges.json', import.meta.url), 'utf8');
  const stored = JSON.parse(text) as Readonly<Record<string, string>>;
  return new Map(
    Object.entries(stored).map(([bins, base64]) => [
      Number(bins),
      Float32Array.from(decode(base64, 'float32')),
    ]),
  );
}

function decode(base64: string, dtype: StoredVector['dtype']): Float32Array | Float64Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return dtype === 'float32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}
