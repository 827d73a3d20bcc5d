import { assertNotEmpty, refuse } from './accumulator.js';
import { assertLabelled, type AgreementSettings } from './agreement-accumulator.js';
import { InputShape, type PairBatch, type VisitPair } from './batch.js';
import { CompensatedSum } from './compensated-sum.js';
import { equalMassCalibrationError } from './equal-mass.js';
import { rankCorrelation } from './rank-correlation.js';
import { DEFAULT_BINS, DEFAULT_CONVENTION, type BinSettings } from './reliability-accumulator.js';
import { ReliabilityBins, type CalibrationSettings } from './reliability.js';
import type { ScoredRow } from './scored-row.js';
import { smoothCalibrationError } from './smooth-ece.js';
import { ConfidenceColumns } from './sorted-confidences.js';
import { TemperatureSearch } from './temperature-search.js';

export interface FullPassSettings extends Omit<AgreementSettings, 'topK'>, BinSettings {
  /** Sorts each row of both models, which takes longer than everything else. @default false */
  readonly rankCorrelation?: boolean;
  /** Whether to look for the temperatures, which reads the rows again and again. @default true */
  readonly temperature?: boolean;
}

export interface FullPassModel {
  readonly eceEqualMass: number;
  readonly smoothEce: number;
  /** Width that smoothEce was found at. */
  readonly smoothEceBandwidth: number;
  /** Optimal temperature by NLL; absent while passes are missing, and where a label has probability 0. */
  readonly temperature?: number;
  /** Mean NLL at that temperature, nats. */
  readonly nllAfter?: number;
  /** ECE at that temperature, with the same bins and convention as `ece`. */
  readonly eceAfter?: number;
}

export interface FullPassResult {
  readonly n: number;
  /** Mean Spearman correlation of the logits of a row; null if no row has an order on both sides; absent if not asked for. */
  readonly rankCorrelation?: number | null;
  /** Absent without labels. */
  readonly teacher?: FullPassModel;
  /** Absent without labels. */
  readonly student?: FullPassModel;
}

/**
 * Metrics that one pass in bounded memory can't give: it keeps two scalars of every sample and model, and needs the rows several
 * times for the temperature.
 *
 *     do for (const batch of read()) pass.add(batch); while (pass.endPass());
 *     pass.result();
 */
export class FullPass {
  private readonly shape: InputShape;
  private readonly labels: boolean;
  private readonly ranked: boolean;
  private readonly models: { readonly teacher: ModelPass; readonly student: ModelPass };
  private rows = 0;
  private seen = 0;
  private first = true;
  private readonly correlation = new CompensatedSum();
  private correlated = 0;

  /** @throws FidelisError REQUEST.INVALID for settings out of range */
  constructor(settings: FullPassSettings) {
    const { labels, bins = DEFAULT_BINS, convention = DEFAULT_CONVENTION } = settings;
    this.shape = new InputShape(settings);
    this.labels = labels;
    this.ranked = settings.rankCorrelation ?? false;
    const searches = labels && (settings.temperature ?? true);
    this.models = {
      teacher: new ModelPass({ bins, convention }, searches),
      student: new ModelPass({ bins, convention }, searches),
    };
  }

  /** Rows of the first pass so far. */
  get n(): number {
    return this.rows;
  }

  /** @throws FidelisError REQUEST.INVALID as `EvaluationEngine.add` */
  add(batch: PairBatch): void {
    assertLabelled(batch, this.labels);
    this.shape.visitPairs(batch, this.addRow);
  }

  /** One sample that is scored already. */
  readonly addRow: VisitPair = (teacher, student, label) => {
    this.seen++;
    if (this.first) {
      this.rows++;
      if (this.ranked) this.correlate(teacher, student);
    }
    if (!this.labels) return;
    this.models.teacher.add(teacher, label, this.first);
    this.models.student.add(student, label, this.first);
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
    const more = [teacher.endPass(), student.endPass()];
    return this.rows > 0 && more.includes(true);
  }

  /** Adds the rows of another one within the same pass. */
  merge(other: FullPass): void {
    this.shape.assertSame(other.shape);
    if (this.first !== other.first) refuse('full passes can be merged within the first pass only');
    this.rows += other.rows;
    this.seen += other.seen;
    this.correlation.merge(other.correlation);
    this.correlated += other.correlated;
    this.models.teacher.merge(other.models.teacher);
    this.models.student.merge(other.models.student);
  }

  /** @throws FidelisError REQUEST.INVALID if no row was added */
  result(): FullPassResult {
    assertNotEmpty(this.rows);
    const { correlated } = this;
    return {
      n: this.rows,
      ...(this.ranked
        ? { rankCorrelation: correlated === 0 ? null : this.correlation.value / correlated }
        : {}),
      ...(this.labels
        ? { teacher: this.models.teacher.result(), student: this.models.student.result() }
        : {}),
    };
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

/** One model's part of a full pass. */
class ModelPass {
  private readonly confidences = new ConfidenceColumns();
  private readonly search = new TemperatureSearch();
  private readonly after: ReliabilityBins;

  constructor(
    private readonly settings: CalibrationSettings,
    private readonly searches: boolean,
  ) {
    this.after = new ReliabilityBins(settings);
  }

  add(score: ScoredRow, label: number, first: boolean): void {
    const correct = score.predicted === label;
    if (first) this.confidences.add(score.confidence, correct);
    if (!this.searches || this.search.finished) return;
    const confidence = this.search.add(score, label);
    if (this.search.inLastPass) this.after.add(confidence, correct);
  }

  endPass(): boolean {
    if (!this.searches) return false;
    if (!this.search.finished) this.search.endPass();
    return !this.search.finished;
  }

  merge(other: ModelPass): void {
    this.confidences.merge(other.confidences);
    this.search.merge(other.search);
  }

  result(): FullPassModel {
    const samples = this.confidences.sorted();
    const { smoothEce, bandwidth } = smoothCalibrationError(samples);
    const found = this.search.result;
    return {
      eceEqualMass: equalMassCalibrationError(samples, this.settings.bins),
      smoothEce,
      smoothEceBandwidth: bandwidth,
      ...(found === undefined ? {} : { ...found, eceAfter: this.after.expectedCalibrationError() }),
    };
  }
}
