import {
  FidelisError,
  inputDigest,
  predictionKey,
  type EvaluationRequest,
  type LogitFrame,
} from '@fidelis/contracts';
import { createDataset, createTableView, datasetRef, type Dataset } from '@fidelis/data';
import { EvaluationEngine } from '@fidelis/fidelity';
import { beforeEach, describe, expect, it } from 'vitest';
import { PartScorer } from './part-scorer.js';
import type { TeacherTable, TeacherTables } from './teacher-tables.js';

const CLASSES = 3;
const BINS = 5;

function smallDataset(salt = 0): Dataset {
  const split = (size: number): Dataset['splits']['train'] => ({
    size,
    inputs: Uint8Array.from({ length: size * 4 }, (_, i) => (i * 7 + salt) % 256),
    labels: Uint8Array.from({ length: size }, (_, i) => i % CLASSES),
  });
  return createDataset({
    name: 'small',
    classNames: ['a', 'b', 'c'],
    inputShape: { height: 2, width: 2, channels: 1 },
    splits: { train: split(9), test: split(7) },
  });
}

const dataset = smallDataset();
const rows = dataset.splits.test.size;
const view = createTableView(dataset, { kind: 'table', dataset: datasetRef(dataset), split: 'test' });

/** Logits that differ from row to row, and between the two models. */
function logitsOf(salt: number): Float32Array {
  return Float32Array.from({ length: rows * CLASSES }, (_, i) =>
    Math.fround(((i * 37 + salt) % 11) / 3 - 1.5),
  );
}
const teacher = logitsOf(0);
const student = logitsOf(5);

function requestOf(partRows: number): EvaluationRequest {
  return {
    runId: 'r-1',
    correlationId: 'c-1',
    teacherId: 't-1',
    dataset: datasetRef(dataset),
    set: 'test',
    step: 4,
    epoch: 1,
    final: true,
    rows,
    parts: Math.ceil(rows / partRows),
    partRows,
  };
}

function frameOf(request: EvaluationRequest, part: number): LogitFrame {
  const ids = view.ids.subarray(part * request.partRows, (part + 1) * request.partRows);
  const from = part * request.partRows * CLASSES;
  return {
    codec: 'f32',
    part,
    parts: request.parts,
    streamKey: predictionKey(request.runId, request.set, request.step),
    step: request.step,
    rows: ids.length,
    members: 1,
    classes: CLASSES,
    inputDigest: inputDigest(view.inputs(ids)),
    values: student.slice(from, from + ids.length * CLASSES),
  };
}

describe('PartScorer', () => {
  let table: TeacherTable;
  let scorer: PartScorer;
  let loads: string[];

  beforeEach(() => {
    table = { rows, classes: CLASSES, logits: teacher };
    loads = [];
    const tables = { get: async () => table } as unknown as TeacherTables;
    scorer = new PartScorer(tables, BINS, async ({ name }) => {
      loads.push(name);
      return dataset;
    });
  });

  const score = (request: EvaluationRequest, frame: LogitFrame): Promise<EvaluationEngine> =>
    scorer.score(request, frame);

  const codeOf = (request: EvaluationRequest, frame: LogitFrame): Promise<string> =>
    score(request, frame).then(
      () => 'it was scored',
      (error: unknown) => FidelisError.from(error).code,
    );

  it('scores parts that merge to what the whole gives', async () => {
    const whole = new EvaluationEngine({ classes: CLASSES, labels: true, bins: BINS });
    whole.add({ teacher, student, labels: view.labels(view.ids), rows });
    for (const partRows of [rows, 3, 2]) {
      const request = requestOf(partRows);
      const [first, ...rest] = await Promise.all(
        Array.from({ length: request.parts }, (_, part) => score(request, frameOf(request, part))),
      );
      if (first === undefined) throw new Error('no parts');
      for (const part of rest) first.merge(part);
      expect(first.result()).toEqual(whole.result());
    }
  });

  it('builds a view once for all parts', async () => {
    const request = requestOf(3);
    await score(request, frameOf(request, 0));
    await score(request, frameOf(request, 1));
    expect(loads).toEqual(['small']);
  });

  it('refuses predictions of other inputs, naming both digests', async () => {
    const request = requestOf(3);
    const frame = { ...frameOf(request, 1), inputDigest: '0123456789abcdef' };
    await expect(score(request, frame)).rejects.toMatchObject({
      code: 'STREAM.MISALIGNED',
      retryable: false,
      details: {
        expected: frameOf(request, 1).inputDigest,
        actual: '0123456789abcdef',
        step: 4,
        part: 1,
        spec: { split: 'test' },
      },
    });
  });

  it('refuses a part in the place of another', async () => {
    const request = requestOf(3);
    expect(await codeOf(request, { ...frameOf(request, 0), part: 1 })).toBe('STREAM.MISALIGNED');
  });

  it.each([
    ['a set of another size', { rows: rows + 1 }, {}],
    ['a part with too few rows', {}, { rows: 2, values: student.slice(0, 2 * CLASSES) }],
    ['a part beyond the set', {}, { part: 3 }],
    ['a set in fewer parts than its rows need', { parts: 2 }, {}],
  ])('refuses %s', async (_, requestChange, frameChange) => {
    const request = { ...requestOf(3), ...requestChange };
    expect(await codeOf(request, { ...frameOf(requestOf(3), 0), ...frameChange })).toBe('FRAME.INVALID');
  });

  it("refuses a student whose classes are not its teacher's", async () => {
    table = { rows, classes: 4, logits: new Float32Array(rows * 4) };
    const request = requestOf(rows);
    expect(await codeOf(request, frameOf(request, 0))).toBe('MODEL.MISMATCH');
  });

  it("refuses a teacher's table of another size", async () => {
    table = { rows: rows - 1, classes: CLASSES, logits: teacher.subarray(CLASSES) };
    const request = requestOf(rows);
    expect(await codeOf(request, frameOf(request, 0))).toBe('MODEL.MISMATCH');
  });

  it('refuses data that is not what the request names', async () => {
    const request = { ...requestOf(rows), dataset: datasetRef(smallDataset(1)) };
    expect(await codeOf(request, frameOf(requestOf(rows), 0))).toBe('DATASET.MISMATCH');
  });
});
