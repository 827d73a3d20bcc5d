import { FidelisError, type LogitFrame } from '@fidelis/contracts';
import type { ArchiveIdentity } from './archive-manifest.js';
import { rowsOfStep } from './step-rows.js';

type Expected = ArchiveIdentity & { readonly firstStep: number; readonly steps: number };

/** Holds frames to the stream that they should be of: all parts of all steps, in order. */
export class FrameOrder {
  private step: number;
  private part = 0;
  private inputDigest: string | undefined;

  constructor(private readonly stream: Expected) {
    this.step = stream.firstStep;
  }

  get complete(): boolean {
    return this.step === this.stream.firstStep + this.stream.steps;
  }

  /** @throws FidelisError FRAME.FOREIGN, STREAM.GAP, FRAME.INVALID */
  accept(frame: LogitFrame): void {
    const { streamKey, codec, members, classes, parts } = this.stream;
    const expected = { streamKey, codec, members, classes, parts };
    for (const [field, value] of Object.entries(expected)) {
      const actual = frame[field as keyof typeof expected];
      if (actual !== value) {
        throw new FidelisError(
          'FRAME.FOREIGN',
          `a frame of step ${frame.step} has ${field} ${actual}, and the stream to store has ${value}: give the frames of that stream`,
          { details: { step: frame.step, field, expected: value, actual } },
        );
      }
    }
    if (frame.step !== this.step || frame.part !== this.part)
      throw this.gap(`step ${frame.step}, part ${frame.part} came`);
    this.checkRows(frame);
    this.advance();
  }

  /** @throws FidelisError STREAM.GAP */
  requireComplete(): void {
    if (!this.complete) throw this.gap('the frames ended');
  }

  private checkRows({ step, part, rows, inputDigest, values }: LogitFrame): void {
    const { partRows, members, classes } = this.stream;
    const expected = Math.max(0, Math.min(partRows, rowsOfStep(this.stream, step) - part * partRows));
    if (rows !== expected || values.length !== rows * members * classes) {
      throw new FidelisError(
        'FRAME.INVALID',
        `step ${step}, part ${part} has ${rows} rows and ${values.length} values, and ${expected} rows belong there: it is of another view, or damaged`,
        { details: { step, part, rows, expected } },
      );
    }
    if (part > 0 && inputDigest !== this.inputDigest) {
      throw new FidelisError(
        'FRAME.INVALID',
        `step ${step}, part ${part} has input digest ${inputDigest}, and the part before it ${this.inputDigest ?? 'none'}: parts of two steps were mixed up`,
        { details: { step, part } },
      );
    }
    this.inputDigest = inputDigest;
    const bad = firstNaN(values);
    if (bad >= 0) {
      const row = part * partRows + Math.floor(bad / (members * classes));
      throw new FidelisError(
        'FRAME.INVALID',
        `step ${step}, row ${row} has a logit that is not a number: this teacher cannot be learned from; look at its training`,
        { details: { step, row } },
      );
    }
  }

  private advance(): void {
    this.part += 1;
    if (this.part < this.stream.parts) return;
    this.part = 0;
    this.step += 1;
  }

  private gap(what: string): FidelisError {
    const { step, part } = this;
    return new FidelisError(
      'STREAM.GAP',
      `${what} where step ${step}, part ${part} was expected: wait until the stream has these steps, or store fewer`,
      { details: { step, part } },
    );
  }
}

/** @returns −1 if there is none */
function firstNaN(values: Float32Array): number {
  for (let index = 0; index < values.length; index++) if (Number.isNaN(values[index])) return index;
  return -1;
}
