import { assertCount, assertNotEmpty, assertSameSettings, refuse, type Accumulator } from './accumulator.js';
import { assertLabelled, type AgreementSettings } from './agreement-accumulator.js';
import { InputShape, type PairBatch, type VisitPair } from './batch.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import { ModelPass, type FullPassModel, type ModelPassState } from './model-pass.js';
import { rankCorrelation } from './rank-correlation.js';
import { DEFAULT_BINS, DEFAULT_CONVENTION, type BinSettings } from './reliability-accumulator.js';
import type { ScoredRow } from './scored-row.js';

export interface FullPassSettings extends Omit<AgreementSettings, 'topK'>, BinSettings {
  /** Sorts each row of both models, which takes longer than everything else. @default false */
  readonly rankCorrelation?: boolean;
  /** Whether to look for the temperatures, which reads the rows again and again. @default true */
  readonly temperature?: boolean;
  /** Whether the teacher's figures are wanted: for several students of one teacher, once is enough. @default true */
  readonly teacher?: boolean;
}

export interface FullPassResult {
  readonly n: number;
  /** Mean Spearman correlation of the logits of a row; null if no row has an order on both sides; absent if not asked for. */
  readonly rankCorrelation?: number | null;
  /** Absent without labels, and where it is not wanted. */
  readonly teacher?: FullPassModel;
  /** Absent without labels. */
  readonly student?: FullPassModel;
}

export interface FullPassState extends Required<FullPassSettings> {
  readonly n: number;
  /** Rows of this pass. */
  readonly seen: number;
  readonly first: boolean;
  readonly correlation: CompensatedSumState;
  readonly correlated: number;
  readonly models: { readonly teacher?: ModelPassState; readonly student?: ModelPassState };
}

/**
 * Metrics that one pass in bounded memory can't give: it keeps two scalars of every sample and model, and needs the rows several
 * times for the temperature.
 *
 *     do for (const batch of read()) pass.add(batch); while (pass.endPass());
 *     pass.result();
 */
export class FullPass implements Accumulator<PairBatch, FullPassState, FullPassResult> {
  private readonly settings: Required<FullPassSettings>;
  private readonly shape: InputShape;
  /** Absent without labels or where they are not wanted. */
  private readonly models: { readonly teacher?: ModelPass; readonly student?: ModelPass };
  private rows = 0;
  private seen = 0;
  private first = true;
  private correlation = new CompensatedSum();
  private correlated = 0;

  /** @throws FidelisError REQUEST.INVALID for settings out of range */
  constructor(settings: FullPassSettings) {
    this.shape = new InputShape(settings);
    this.settings = {
      ...this.shape.settings(),
      labels: settings.labels,
      bins: settings.bins ?? DEFAULT_BINS,
      convention: settings.convention ?? DEFAULT_CONVENTION,
      rankCorrelation: settings.rankCorrelation ?? false,
      temperature: settings.temperature ?? true,
      teacher: settings.teacher ?? true,
    };
    const { bins, convention, labels, temperature } = this.settings;
    const model = (): ModelPass => new ModelPass({ bins, convention }, temperature);
    this.models = {
      ...(labels && this.settings.teacher ? { teacher: model() } : {}),
      ...(labels ? { student: model() } : {}),
    };
  }

  /** Rows of the first pass so far. */
  get n(): number {
    return this.rows;
  }

  /** @throws FidelisError REQUEST.INVALID as `EvaluationEngine.add` */
  add(batch: PairBatch): void {
    assertLabelled(batch, this.settings.labels);
    this.shape.visitPairs(batch, this.addRow);
  }

  /** One sample that is scored already. */
  readonly addRow: VisitPair = (teacher, student, label) => {
    this.seen++;
    if (this.first) {
      this.rows++;
      if (this.settings.rankCorrelation) this.correlate(teacher, student);
    }
    this.models.teacher?.add(teacher, label, this.first);
    this.models.student?.add(student, label, this.first);
  };

  /**
   * Ends a pass over all rows.
   *
   * @returns true if the rows are needed once more
   * @throws FidelisError REQUEST.INVALID if this pass had more or fewer rows than the first
   */
  endPass(): boolean {
    if (this.seen !== this.rows) {
      refuse(`this pass had ${this.seen} rows, the first ${this.rows}: read the same rows each time`);
    }
    this.seen = 0;
    this.first = false;
    const { teacher, student } = this.models;
    const more = [teacher?.endPass(), student?.endPass()];
    return this.rows > 0 && more.includes(true);
  }

  /**
   * Adds the rows of another one. Beyond the first pass the other has to be a copy of this one, through JSON, at the start of the pass,
   * that saw other rows in it.
   *
   * @throws FidelisError REQUEST.INVALID if the settings or the passes differ
   */
  merge(other: FullPass): void {
    assertSameSettings(this.settings, other.settings);
    if (this.first !== other.first) refuse('full passes can be merged within the same pass only');
    this.models.teacher?.assertMergeable(other.models.teacher);
    this.models.student?.assertMergeable(other.models.student);
    this.seen += other.seen;
    if (this.first) this.mergeFirst(other);
    if (other.models.teacher !== undefined) this.models.teacher?.merge(other.models.teacher, this.first);
    if (other.models.student !== undefined) this.models.student?.merge(other.models.student, this.first);
  }

  toJSON(): FullPassState {
    const { teacher, student } = this.models;
    return {
      ...this.settings,
      n: this.rows,
      seen: this.seen,
      first: this.first,
      correlation: this.correlation.toJSON(),
      correlated: this.correlated,
      models: {
        ...(teacher === undefined ? {} : { teacher: teacher.toJSON() }),
        ...(student === undefined ? {} : { student: student.toJSON() }),
      },
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: FullPassState): FullPass {
    for (const name of ['n', 'seen', 'correlated'] as const) assertCount(name, state[name], 0);
    const restored = new FullPass(state);
    restored.rows = state.n;
    restored.seen = state.seen;
    restored.first = state.first;
    restored.correlation = CompensatedSum.fromJSON(state.correlation);
    restored.correlated = state.correlated;
    for (const name of ['teacher', 'student'] as const) {
      const saved = state.models[name];
      if (saved !== undefined) restored.models[name]?.restore(saved);
    }
    return restored;
  }

  /** @throws FidelisError REQUEST.INVALID if no row was added */
  result(): FullPassResult {
    assertNotEmpty(this.rows);
    const { correlated, correlation, models, settings } = this;
    const { teacher, student } = models;
    return {
      n: this.rows,
      ...(settings.rankCorrelation
        ? { rankCorrelation: correlated === 0 ? null : correlation.value / correlated }
        : {}),
      ...(teacher === undefined ? {} : { teacher: teacher.result() }),
      ...(student === undefined ? {} : { student: student.result() }),
    };
  }

  private mergeFirst(other: FullPass): void {
    this.rows += other.rows;
    this.correlation.merge(other.correlation);
    this.correlated += other.correlated;
  }

  private correlate(teacher: ScoredRow, student: ScoredRow): void {
    const correlation = rankCorrelation(teacher.logProbabilities, student.logProbabilities);
    if (correlation === null) return;
    this.correlation.add(correlation);
    this.correlated++;
  }
}

/** Reads the rows as often as needed. @param read gives the same rows from the start each time */
export async function runFullPass(
  settings: FullPassSettings,
  read: () => AsyncIterable<PairBatch> | Iterable<PairBatch>,
): Promise<FullPassResult> {
  const pass = new FullPass(settings);
  do {
    for await (const batch of read()) pass.add(batch);
  } while (pass.endPass());
  return pass.result();
}
