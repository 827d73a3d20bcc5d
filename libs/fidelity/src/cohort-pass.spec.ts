import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PairBatch } from './batch.js';
import { CohortPass } from './cohort-pass.js';
import { EvaluationEngine } from './evaluation-engine.js';
import { FullPass, type FullPassResult, type FullPassState } from './full-pass.js';
import { PerSample, type PerSampleState } from './per-sample.js';

const CLASSES = 3;
const SETTINGS = { classes: CLASSES, labels: true };

interface Row {
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly label: number;
}

const value = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -40, max: 40 }).map((tenth) => tenth / 10) },
  { weight: 1, arbitrary: fc.constantFrom(-Infinity, -1e4, 1e4) },
);
const logits = fc
  .array(value, { minLength: CLASSES, maxLength: CLASSES })
  .filter((row) => row.some((entry) => entry > -Infinity));
const rows = fc.array(fc.record({ teacher: logits, student: logits, label: fc.nat(CLASSES - 1) }), {
  minLength: 2,
  maxLength: 20,
});

function batchOf(samples: readonly Row[], student = (row: Row): readonly number[] => row.student): PairBatch {
  return {
    teacher: Float64Array.from(samples.flatMap(({ teacher }) => teacher)),
    student: Float64Array.from(samples.flatMap(student)),
    labels: Int32Array.from(samples.map(({ label }) => label)),
    rows: samples.length,
  };
}

function perSampleOf(samples: readonly Row[]): PerSample {
  const columns = new PerSample(SETTINGS);
  columns.add(batchOf(samples));
  return columns;
}

function throughJson<State>(accumulator: { toJSON(): State }): State {
  return JSON.parse(JSON.stringify(accumulator)) as State;
}

describe('PerSample', () => {
  it('is the same in parts as in one, and after JSON, with infinite divergences', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (samples, at) => {
        const cut = at % samples.length;
        const whole = perSampleOf(samples);
        const merged = perSampleOf(samples.slice(0, cut));
        merged.merge(PerSample.fromJSON(throughJson(perSampleOf(samples.slice(cut)))));
        expect(merged.result()).toStrictEqual(whole.result());
      }),
    );
    const infinite = perSampleOf([{ teacher: [0, 0, 0], student: [0, 0, -Infinity], label: 2 }]);
    expect(PerSample.fromJSON(throughJson(infinite)).result().kl[0]).toBe(Infinity);
  });

  it('refuses a damaged state, other settings, and to have a result of nothing', () => {
    const state = throughJson(perSampleOf([{ teacher: [0, 1, 2], student: [0, 1, 2], label: 2 }]));
    const damaged = (columns: object): PerSampleState => ({
      ...state,
      columns: { ...state.columns, ...columns },
    });
    expect(() => PerSample.fromJSON(damaged({ kl: [null] }))).toThrow('the saved column is damaged');
    expect(() => PerSample.fromJSON(damaged({ kl: [1, 2] }))).toThrow('differ in length');
    expect(() => PerSample.fromJSON(state).merge(new PerSample({ ...SETTINGS, topK: 1 }))).toThrow('topK');
    expect(() => new PerSample(SETTINGS).result()).toThrow('add at least one row');
  });
});

/** A full pass over shards: each pass in two halves, of which one travels as JSON. */
function sharded(samples: readonly Row[], cut: number): FullPassResult {
  let pass = new FullPass({ ...SETTINGS, rankCorrelation: true });
  for (;;) {
    const other = FullPass.fromJSON(throughJson(pass));
    other.add(batchOf(samples.slice(0, cut)));
    pass.add(batchOf(samples.slice(cut).reverse()));
    pass.merge(FullPass.fromJSON(throughJson(other)));
    if (!pass.endPass()) return pass.result();
    pass = FullPass.fromJSON(throughJson(pass));
  }
}

function inOne(samples: readonly Row[]): FullPassResult {
  const pass = new FullPass({ ...SETTINGS, rankCorrelation: true });
  do pass.add(batchOf(samples));
  while (pass.endPass());
  return pass.result();
}

describe('FullPass', () => {
  it('is the same in shards, in any order and through JSON in every pass', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (samples, at) => {
        const whole = inOne(samples);
        const parts = sharded(samples, at % samples.length);
        expect(parts.n).toBe(whole.n);
        expect(parts.rankCorrelation ?? 2).toBeCloseTo(whole.rankCorrelation ?? 2, 12);
        for (const model of ['teacher', 'student'] as const) {
          expect(parts[model]?.smoothEce).toBe(whole[model]?.smoothEce);
          expect(parts[model]?.eceEqualMass).toBe(whole[model]?.eceEqualMass);
          expect(parts[model]?.temperature === undefined).toBe(whole[model]?.temperature === undefined);
          expect(parts[model]?.nllAfter ?? 0).toBeCloseTo(whole[model]?.nllAfter ?? 0, 9);
        }
      }),
      // The smooth ECE of rows that are all sure takes a tenth of a second and more.
      { numRuns: 6 },
    );
  });

  it('refuses to merge other settings, another pass, and a damaged state', () => {
    const pass = new FullPass(SETTINGS);
    pass.add(batchOf([{ teacher: [0, 1, 2], student: [2, 1, 0], label: 2 }]));
    const state = throughJson(pass);
    expect(() => pass.merge(new FullPass({ ...SETTINGS, bins: 10 }))).toThrow('different bins');
    pass.endPass();
    expect(() => pass.merge(FullPass.fromJSON(state))).toThrow('within the same pass');
    const damaged: FullPassState = { ...state, seen: -1 };
    expect(() => FullPass.fromJSON(damaged)).toThrow('seen: -1');
  });
});

describe('CohortPass', () => {
  it('gives every student what its own accumulators would have', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const swapped = (row: Row): readonly number[] => [...row.student].reverse();
        const batches = [batchOf(samples), batchOf(samples, swapped)];
        const [first, second] = batches as [PairBatch, PairBatch];
        const takers = batches.map(() => ({
          engine: new EvaluationEngine(SETTINGS),
          columns: new PerSample(SETTINGS),
          full: new FullPass(SETTINGS),
        }));
        const pass = new CohortPass(
          SETTINGS,
          takers.map(({ engine, columns, full }) => [engine, columns, full]),
        );
        const { student, ...shared } = first;
        pass.add({ ...shared, students: [student, second.student] });
        takers.forEach((taken, index) => {
          const batch = batches[index] ?? first;
          const engine = new EvaluationEngine(SETTINGS);
          engine.add(batch);
          const columns = new PerSample(SETTINGS);
          columns.add(batch);
          const full = new FullPass(SETTINGS);
          full.add(batch);
          expect(throughJson(taken.engine)).toEqual(throughJson(engine));
          expect(throughJson(taken.columns)).toEqual(throughJson(columns));
          expect(throughJson(taken.full)).toEqual(throughJson(full));
        });
      }),
    );
  });

  it('says which of several students is refused, and adds nothing', () => {
    const engines = [new EvaluationEngine(SETTINGS), new EvaluationEngine(SETTINGS)];
    const pass = new CohortPass(
      SETTINGS,
      engines.map((engine) => [engine]),
    );
    const good = Float64Array.of(0, 1, 2);
    expect(() =>
      pass.add({
        teacher: good,
        students: [good, Float64Array.of(0, NaN, 2)],
        labels: Int32Array.of(0),
        rows: 1,
      }),
    ).toThrow('student 1: row 0, column 1 is NaN');
    expect(engines.map(({ n }) => n)).toEqual([0, 0]);
  });
});
