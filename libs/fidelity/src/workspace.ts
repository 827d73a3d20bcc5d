import { SUM_EXACT, SUM_TOLERANCE, type InputKind, type Rows } from './input.js';
import { RowKernel } from './kernel/row-kernel.js';
import { ScoredRow, type ColumnOwner, type ColumnRoom, type ColumnSums } from './scored-row.js';

/** Values of an input that are copied into the kernel at a time: they stay in the cache of a core until they are scored. */
const BLOCK_VALUES = 4096;
const ALIGNMENT = 64;
/** Whole vectors may reach beyond the last value. */
const OVERHANG = 16;

/** What a first look at each row of an input shows. */
export interface RowScans {
  /** Column of the largest value; of equal ones the first, as argmax of NumPy and PyTorch (on a CPU). */
  readonly predicted: Uint32Array;
  readonly largest: Float64Array;
  readonly sum: Float64Array;
  /** False where a row may not be what its kind says: something is to be told about it. */
  readonly plausible: boolean;
}

interface InputBlock {
  readonly at: number;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Which of them the rows are in now. */
  wide: boolean;
}

/** Column sums of the owners that a batch has; emptied at its end. */
class Columns implements ColumnRoom {
  private readonly owners = new Map<ColumnOwner, ColumnSums>();

  /** @param free as many as there can be owners without one waiting for another */
  constructor(
    readonly list: Uint32Array,
    private readonly free: ColumnSums[],
  ) {}

  sumsOf(owner: ColumnOwner): ColumnSums {
    return this.owners.get(owner) ?? this.lend(owner);
  }

  /** Hands all sums over. */
  settle(): void {
    for (const [owner, sums] of this.owners) {
      owner.absorb(sums);
      sums.coarse.fill(0);
      sums.fine.fill(0);
      this.free.push(sums);
    }
    this.owners.clear();
  }

  private lend(owner: ColumnOwner): ColumnSums {
    if (this.free.length === 0) this.settle();
    const sums = this.free.pop();
    if (sums === undefined) throw new RangeError('the workspace has no room for column sums');
    this.owners.set(owner, sums);
    return sums;
  }
}

interface Layout {
  readonly classes: number;
  readonly blockRows: number;
  readonly inputs: readonly InputBlock[];
  readonly out: Float64Array;
  readonly columns: Columns;
  readonly teacher: ScoredRow;
  readonly student: ScoredRow;
}

/**
 * Scratch memory of the kernel, laid out for rows of one length. Nothing in it outlives a visit to a batch, so one serves all
 * accumulators; it is made at the first use.
 */
export class Workspace {
  private static shared: Workspace | undefined;

  private readonly kernel = new RowKernel();
  private layout: Layout | undefined;
  private taken = false;

  /**
   * @param inputs arrays that are read side by side
   * @param visit must not visit another batch
   */
  static use(classes: number, inputs: number, visit: (scorer: RowScorer) => void): void {
    this.shared ??= new Workspace();
    this.shared.lend(classes, inputs, visit);
  }

  private lend(classes: number, inputs: number, visit: (scorer: RowScorer) => void): void {
    if (this.taken) throw new Error('a batch is visited within the visit to another one');
    if (this.layout?.classes !== classes || this.layout.inputs.length < inputs) {
      this.layout = this.layOut(classes, inputs);
    }
    this.taken = true;
    try {
      visit(new RowScorer(this.kernel.functions, this.layout));
    } finally {
      this.layout.columns.settle();
      this.taken = false;
    }
  }

  private layOut(classes: number, inputs: number): Layout {
    let end = ALIGNMENT;
    const take = (bytes: number): number => {
      const start = end;
      end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
      return start;
    };
    const blockRows = Math.max(1, Math.floor(BLOCK_VALUES / classes));
    const starts = Array.from({ length: inputs }, () => take(8 * blockRows * classes + OVERHANG));
    const [teacherLogs, teacherShares, studentLogs, studentShares] = [0, 1, 2, 3].map(() =>
      take(8 * classes + OVERHANG),
    ) as [number, number, number, number];
    const rowBytes = 8 * classes + OVERHANG;
    // A teacher and a student for each pair of inputs, as an engine has them.
    const sums = Array.from({ length: 2 * inputs }, () => [take(rowBytes), take(rowBytes)] as const);
    const list = take(4 * classes + OVERHANG);
    const memory = this.kernel.reserve(end);
    const doubles = (at: number): Float64Array => new Float64Array(memory, at, classes).fill(0);
    const columns = new Columns(
      new Uint32Array(memory, list, classes),
      sums.map(([coarse, fine]) => ({ coarse: doubles(coarse), fine: doubles(fine) })),
    );
    const { functions } = this.kernel;
    const row = (logProbabilities: number, probabilities: number): ScoredRow =>
      new ScoredRow(functions, classes, { memory, logProbabilities, probabilities, out: 0 }, columns);
    return {
      classes,
      blockRows,
      inputs: starts.map((at) => ({
        at,
        f32: new Float32Array(memory, at, blockRows * classes),
        f64: new Float64Array(memory, at, blockRows * classes),
        wide: false,
      })),
      out: new Float64Array(memory, 0, 4),
      columns,
      teacher: row(teacherLogs, teacherShares),
      student: row(studentLogs, studentShares),
    };
  }
}

/** Scores rows within the workspace, block by block. */
export class RowScorer {
  readonly blockRows: number;
  readonly teacher: ScoredRow;
  readonly student: ScoredRow;

  constructor(
    private readonly functions: RowKernel['functions'],
    private readonly layout: Layout,
  ) {
    this.blockRows = layout.blockRows;
    this.teacher = layout.teacher;
    this.student = layout.student;
  }

  /** Looks at every row once. */
  scan(values: Rows, rows: number, kind: InputKind): RowScans {
    const { out } = this.layout;
    const predicted = new Uint32Array(rows);
    const largest = new Float64Array(rows);
    const sum = new Float64Array(rows);
    let plausible = true;
    for (let start = 0; start < rows; start += this.blockRows) {
      const input = this.load(0, values, start, rows);
      const end = Math.min(rows, start + this.blockRows);
      for (let row = start; row < end; row++) {
        predicted[row] = this.scanRow(input, row - start);
        const most = out[0] ?? NaN;
        const least = out[1] ?? NaN;
        const total = out[2] ?? NaN;
        largest[row] = most;
        sum[row] = total;
        plausible &&=
          kind === 'logits'
            ? most < Infinity && most > -Infinity && !Number.isNaN(total)
            : kind === 'probs'
              ? least >= 0 && isOne(total)
              : most <= SUM_TOLERANCE && isOne(this.weightOf(input, row - start, most) * Math.exp(most));
      }
    }
    return { predicted, largest, sum, plausible };
  }

  /** Confidences of rows of logits, log-probabilities or probabilities exactly as `score` has them, without the logarithms. */
  confidences(values: Rows, rows: number, kind: InputKind, { largest, sum }: RowScans): Float64Array {
    const confidence = new Float64Array(rows);
    if (kind === 'probs') {
      for (let row = 0; row < rows; row++) {
        confidence[row] = Math.min(1, (largest[row] ?? NaN) / divisorOf(sum[row] ?? NaN));
      }
      return confidence;
    }
    for (let start = 0; start < rows; start += this.blockRows) {
      const input = this.load(0, values, start, rows);
      const end = Math.min(rows, start + this.blockRows);
      for (let row = start; row < end; row++) {
        confidence[row] = 1 / this.weightOf(input, row - start, largest[row] ?? NaN);
      }
    }
    return confidence;
  }

  /** Copies the block of rows from `start` on to input number `index`. */
  load(index: number, values: Rows, start: number, rows: number): InputBlock {
    const { classes, inputs } = this.layout;
    const input = inputs[index];
    if (input === undefined) throw new RangeError(`the workspace has no input ${index}`);
    const block = values.subarray(start * classes, Math.min(rows, start + this.blockRows) * classes);
    input.wide = block instanceof Float64Array;
    (input.wide ? input.f64 : input.f32).set(block);
    return input;
  }

  /**
   * Scores one row of a loaded block. Logits and log-probabilities: log-softmax z − max − log Σ exp(z − max), stable for any finite
   * values; adding a constant to the row changes nothing but rounding. Probabilities: as they are, or divided by their sum where it
   * is off by more than SUM_EXACT.
   *
   * @param row within the batch that starts at `start`
   */
  score(
    input: InputBlock,
    start: number,
    row: number,
    scans: RowScans,
    kind: InputKind,
    into: ScoredRow,
  ): void {
    const { functions } = this;
    const { classes } = this.layout;
    const { logProbabilities, probabilities } = into.place;
    const at = this.addressOf(input, row - start);
    const predicted = scans.predicted[row] ?? 0;
    if (kind === 'probs') {
      const take = input.wide ? functions.probabilitiesF64 : functions.probabilitiesF32;
      take(at, classes, divisorOf(scans.sum[row] ?? NaN), logProbabilities, probabilities);
    } else {
      const softmax = input.wide ? functions.softmaxF64 : functions.softmaxF32;
      softmax(at, classes, scans.largest[row] ?? NaN, logProbabilities, probabilities);
    }
    into.predicted = predicted;
    into.confidence = Math.min(1, into.probabilities[predicted] ?? NaN);
  }

  private scanRow(input: InputBlock, row: number): number {
    const { classes } = this.layout;
    const at = this.addressOf(input, row);
    return input.wide ? this.functions.scanF64(at, classes, 0) : this.functions.scanF32(at, classes, 0);
  }

  /** Σ exp(z − largest) */
  private weightOf(input: InputBlock, row: number, largest: number): number {
    const { functions } = this;
    const at = this.addressOf(input, row);
    const sum = input.wide ? functions.exponentialSumF64 : functions.exponentialSumF32;
    return sum(at, this.layout.classes, largest);
  }

  private addressOf(input: InputBlock, row: number): number {
    return input.at + row * this.layout.classes * (input.wide ? 8 : 4);
  }
}

function isOne(sum: number): boolean {
  return Math.abs(sum - 1) <= SUM_TOLERANCE;
}

/** 1, or a sum of probabilities that is off by more than SUM_EXACT. */
function divisorOf(sum: number): number {
  return Math.abs(sum - 1) <= SUM_EXACT ? 1 : sum;
}
