import { readFileSync } from 'node:fs';
import type { GnosisBatch } from '@fidelis/fidelity';

export interface GnosisVector {
  readonly name: string;
  readonly classes: number;
  readonly batches: readonly GnosisBatch[];
  readonly published: Readonly<
    Record<'nll' | 'predictiveKl' | 'ece' | 'top1Agreement' | 'accuracy', number | 'Infinity'>
  >;
}

interface StoredVector extends Omit<GnosisVector, 'batches'> {
  /** The arrays are base64 of little-endian float32. */
  readonly batches: readonly {
    readonly rows: number;
    readonly teacher: string;
    readonly student: string;
    readonly labels: readonly number[];
  }[];
}

/** The vectors that `write_vectors.py` wrote. */
export function readVectors(): GnosisVector[] {
  const text = readFileSync(new URL('golden/vectors.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as StoredVector[]).map(({ batches, ...vector }) => ({
    ...vector,
    batches: batches.map(({ rows, teacher, student, labels }) => ({
      rows,
      teacher: decode(teacher),
      student: decode(student),
      labels: Int32Array.from(labels),
    })),
  }));
}

function decode(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}
