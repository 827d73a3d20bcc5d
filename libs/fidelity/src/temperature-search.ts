import { assertCount, refuse } from './accumulator.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import type { ScoredRow } from './scored-row.js';

export interface TemperatureResult {
  /** T > 0 that minimises the NLL of softmax(z / T); above 1 for a model that is too confident. */
  readonly temperature: number;
  /** Mean NLL at that temperature, nats. */
  readonly nllAfter: number;
}

export interface TemperatureState {
  /** 1 / T of this pass, and the bracket. */
  readonly beta: number;
  readonly low: number;
  readonly high: number;
  readonly passes: number;
  /** Whether this pass is the last one. */
  readonly last: boolean;
  readonly done: boolean;
  readonly found?: TemperatureResult;
  /** Of this pass so far. */
  readonly rows: number;
  readonly nll: CompensatedSumState;
  readonly slope: CompensatedSumState;
  readonly curvature: CompensatedSumState;
}

/** 1 / T is looked for between these: beyond them the NLL has no minimum that data can show. */
const LEAST = 1 / 100;
const LARGEST = 100;
/** The bracket before anything is known is wider, so that its ends are tried like any other value before they are taken. */
const BELOW = LEAST / 2;
const ABOVE = LARGEST * 2;
const PRECISION = 1e-6;
const USUAL_PASSES = 8;
const MOST_PASSES = 60;

/**
 * Optimal temperature by NLL (Guo et al. 2017, §4.2): argmin_T −(1/N) Σ log softmax(z / T)[label]. The NLL is convex in β = 1/T; with
 * E, Var over softmax(βz) its derivatives are E[z] − z_label and Var[z]. Newton's method on β within a bracket, one pass over the rows
 * for each step, commonly five; memory O(1). Where nothing is wrong the NLL falls for ever as T → 0: T stops at 1/100, as at 100 where it
 * falls as T → ∞. Without a value (undefined) if a label ever has probability 0, which no temperature changes.
 */
export class TemperatureSearch {
  private beta = 1;
  private low = BELOW;
  private high = ABOVE;
  private passes = 0;
  private rows = 0;
  private found: TemperatureResult | undefined;
  private done = false;
  private last = false;
  private nll = new CompensatedSum();
  private slope = new CompensatedSum();
  private curvature = new CompensatedSum();
  private readonly sums = new Float64Array(3);

  /** The next pass is at this temperature. */
  get candidate(): number {
    return 1 / this.beta;
  }

  /** True in the pass at the final temperature, after which the search is finished. */
  get inLastPass(): boolean {
    return this.last;
  }

  get finished(): boolean {
    return this.done;
  }

  get result(): TemperatureResult | undefined {
    return this.found;
  }

  /**
   * @param row of this pass, at temperature 1
   * @returns the confidence of the row at the candidate temperature
   */
  add(row: ScoredRow, label: number): number {
    const { beta, sums } = this;
    row.temper(beta, sums);
    const total = sums[0] ?? NaN;
    const mean = (sums[1] ?? NaN) / total;
    const own = (row.logProbabilities[label] ?? NaN) - (row.logProbabilities[row.predicted] ?? NaN);
    this.rows++;
    this.nll.add(Math.log(total) - beta * own);
    this.slope.add(mean - own);
    this.curvature.add(Math.max(0, (sums[2] ?? NaN) / total - mean * mean));
    return 1 / total;
  }

  /** @throws FidelisError REQUEST.INVALID */
  assertSamePass(other: TemperatureSearch): void {
    if (other.beta !== this.beta || other.passes !== this.passes || other.done !== this.done) {
      refuse('searches for a temperature can be merged within the same pass only');
    }
  }

  /** Adds the rows of another one in the same pass. */
  merge(other: TemperatureSearch): void {
    this.assertSamePass(other);
    this.rows += other.rows;
    this.nll.merge(other.nll);
    this.slope.merge(other.slope);
    this.curvature.merge(other.curvature);
  }

  toJSON(): TemperatureState {
    return {
      beta: this.beta,
      low: this.low,
      high: this.high,
      passes: this.passes,
      last: this.last,
      done: this.done,
      ...(this.found === undefined ? {} : { found: this.found }),
      rows: this.rows,
      nll: this.nll.toJSON(),
      slope: this.slope.toJSON(),
      curvature: this.curvature.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: TemperatureState): TemperatureSearch {
    const { beta, low, high, last, done, found } = state;
    assertCount('rows', state.rows, 0);
    assertCount('passes', state.passes, 0);
    if (![beta, low, high].every((value) => value >= BELOW && value <= ABOVE)) {
      refuse(`the saved search for a temperature is damaged: β ${beta} within ${low} and ${high}`);
    }
    const restored = new TemperatureSearch();
    Object.assign(restored, { beta, low, high, last, done, found, rows: state.rows, passes: state.passes });
    restored.nll = CompensatedSum.fromJSON(state.nll);
    restored.slope = CompensatedSum.fromJSON(state.slope);
    restored.curvature = CompensatedSum.fromJSON(state.curvature);
    return restored;
  }

  /** Ends a pass over all rows. Once the search is `finished`, no more are needed. */
  endPass(): void {
    const nll = this.nll.value;
    const slope = this.slope.value;
    const curvature = this.curvature.value;
    if (this.last || nll === Infinity) {
      this.done = true;
      if (nll !== Infinity) this.found = { temperature: 1 / this.beta, nllAfter: nll / this.rows };
    } else {
      this.step(nll, slope, curvature);
    }
    this.rows = 0;
    this.nll = new CompensatedSum();
    this.slope = new CompensatedSum();
    this.curvature = new CompensatedSum();
  }

  private step(nll: number, slope: number, curvature: number): void {
    if (slope > 0) this.high = this.beta;
    else this.low = this.beta;
    this.passes++;
    const next = slope === 0 ? this.level(nll) : this.next(slope, curvature);
    const near = Math.abs(next - this.beta) <= PRECISION * this.beta;
    this.last = near || this.passes >= MOST_PASSES;
    this.beta = next;
  }

  /** A slope of 0 is the minimum, but for an NLL of 0: there it has become too small for float64. */
  private level(nll: number): number {
    return nll === 0 ? LARGEST : this.beta;
  }

  /** Newton's step, at most four times as far: the curvature vanishes where all rows are sure. Within the bracket. */
  private next(slope: number, curvature: number): number {
    const flat = slope > 0 ? 0 : Infinity;
    const newton = curvature > 0 ? this.beta - slope / curvature : flat;
    // Where all rows are right the NLL falls for ever, and Newton's steps stay short.
    const endless = this.high === ABOVE && this.passes > USUAL_PASSES;
    const step = endless ? this.beta * 4 : Math.min(Math.max(newton, this.beta / 4), this.beta * 4);
    const next = Math.min(Math.max(step, LEAST), LARGEST);
    if (next === this.beta || (next > this.low && next < this.high)) return next;
    return Math.sqrt(this.low * this.high);
  }
}
