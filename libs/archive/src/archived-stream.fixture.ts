import { streamKey, throughCodec, type Codec, type LogitFrame, type ViewSpec } from '@fidelis/contracts';
import type { StepSamples } from '@fidelis/data';
import type { ArchiveHeader } from './write-archive.js';
import { sampleSources } from './sample-sources.js';
import { rowsOfStep } from './step-rows.js';

export interface StreamOptions {
  readonly kind?: ViewSpec['kind'];
  readonly samples?: number;
  readonly batchSize?: number;
  readonly steps?: number;
  readonly firstStep?: number;
  readonly members?: number;
  readonly classes?: number;
  readonly partRows?: number;
  readonly codec?: Codec;
  readonly mixing?: boolean;
  /** Logits, one after another and again from the start. */
  readonly values?: readonly number[];
}

export interface TestStream {
  readonly header: ArchiveHeader & { readonly firstStep: number };
  readonly frames: readonly LogitFrame[];
  readonly samplesOf: (step: number) => StepSamples;
}

const dataset = { name: 'tiny', digest: 'd1'.repeat(32) };

/** A whole stream, small, of numbers that differ from row to row. */
export function testStream(options: StreamOptions = {}): TestStream {
  const { kind = 'sequence', samples = 50, batchSize = 16, steps = 6, firstStep = 0 } = options;
  const { members = 2, classes = 3, codec = 'f16', mixing = false, values = VALUES } = options;
  const view: ViewSpec =
    kind === 'table'
      ? { kind, dataset, split: 'train' }
      : { kind, dataset, split: 'train', augmentation: [], seed: 7, batchSize };
  const teacherDigest = '0a'.repeat(32);
  const largest = kind === 'table' ? Math.min(samples, 1_024) : Math.min(samples, batchSize);
  const { partRows = largest } = options;
  const header = {
    streamKey: streamKey(teacherDigest, view, codec),
    teacherId: 't-0123456789ab',
    teacherDigest,
    view,
    samples: [...sampleSources(view, () => samples)],
    codec,
    members,
    classes,
    parts: Math.ceil(largest / partRows),
    partRows,
    mixing,
    producer: null,
    firstStep,
    steps,
  };
  const frames = Array.from({ length: steps }, (_, index) => firstStep + index).flatMap((step) => {
    const rows = rowsOfStep(header, step);
    const count = rows * members * classes;
    const all = Float32Array.from(
      { length: count },
      (_, at) => values[(step * 31 + at) % values.length] ?? 0,
    );
    return Array.from({ length: header.parts }, (_, part): LogitFrame => {
      const from = Math.min(part * partRows, rows);
      const to = Math.min(from + partRows, rows);
      return {
        codec,
        part,
        parts: header.parts,
        streamKey: header.streamKey,
        step,
        rows: to - from,
        members,
        classes,
        inputDigest: (0xabcd_0000 + step).toString(16).padStart(16, '0'),
        values: throughCodec(all.slice(from * members * classes, to * members * classes), codec),
      };
    });
  });
  return {
    header,
    frames,
    samplesOf: (step) => {
      const rows = rowsOfStep(header, step);
      const ids = Uint32Array.from({ length: rows }, (_, row) => (step * 5 + row) % samples);
      if (!mixing) return { ids };
      const weights = new Float32Array(rows).fill(Math.fround(0.1 * (step + 1)));
      return { ids, mixing: { partners: ids.map((id) => samples - 1 - id), weights } };
    },
  };
}

/** Halves of every sort: the largest, subnormal, minus zero, infinite. */
const VALUES = [
  0,
  -0,
  1.5,
  -2.25,
  65_504,
  -65_504,
  2 ** -24,
  -(2 ** -14),
  0.333251953125,
  Infinity,
  -Infinity,
  7,
];

export async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
