import { openArchive, type ArchiveStep, type LogitArchive } from '@fidelis/archive';
import { FidelisError, inputDigest, type Split } from '@fidelis/contracts';
import type { LogitSource, SampleRows } from './logit-source.js';

/**
 * Logits that were computed elsewhere and stored as files. Of each step the inputs are held against those that the stored logits were computed from, so that
 * a stream goes on being aligned however far it travelled.
 */
export class ArchiveLogits implements LogitSource {
  private reading: { nextStep: number; readonly steps: AsyncIterator<ArchiveStep> } | undefined;
  private predictions: Map<Split, Float32Array> | undefined;

  private constructor(
    private readonly teacherId: string,
    private readonly archive: LogitArchive,
  ) {}

  /** @throws FidelisError ARCHIVE.INVALID, ARCHIVE.UNSUPPORTED */
  static async open(teacherId: string, directory: string): Promise<ArchiveLogits> {
    return new ArchiveLogits(teacherId, await openArchive(directory));
  }

  get members(): number {
    return this.archive.manifest.members;
  }

  /** @throws FidelisError STREAM.GONE, ARCHIVE.INVALID, ARCHIVE.MISMATCH, TEACHER.FAILED */
  async logits(samples: SampleRows): Promise<Float32Array> {
    const { place } = samples;
    return place === undefined ? this.ofSplit(samples) : this.ofStep(place, samples);
  }

  private async ofStep(
    { key, step }: { readonly key: string; readonly step: number },
    { inputs, rows }: SampleRows,
  ): Promise<Float32Array> {
    const { streamKey, firstStep, steps } = this.archive.manifest;
    if (key !== streamKey || step < firstStep || step >= firstStep + steps) {
      throw new FidelisError(
        'STREAM.GONE',
        `step ${step} of stream ${key} is not stored: teacher ${this.teacherId} was imported with stream ${streamKey}, steps ${firstStep} to ${firstStep + steps - 1}`,
        { details: { key, step, streamKey, firstStep, endStep: firstStep + steps } },
      );
    }
    const stored = await this.stored(step);
    const digest = inputDigest(inputs);
    if (stored.inputDigest !== digest || stored.rows !== rows) {
      throw new FidelisError(
        'ARCHIVE.MISMATCH',
        `step ${step} of stream ${key}: its stored logits are of inputs with digest ${stored.inputDigest} (${stored.rows} rows), the same view has ${digest} (${rows} rows) here. ` +
          'Use the version of Fidelis, and of the dataset, that the stream was exported with',
        { details: { key, step, stored: stored.inputDigest, here: digest } },
      );
    }
    return stored.values;
  }

  /** One step after the other is read on; any other begins anew at its shard. */
  private async stored(step: number): Promise<ArchiveStep> {
    if (this.reading?.nextStep !== step) {
      await this.reading?.steps.return?.();
      const steps = this.archive.steps({ fromStep: step })[Symbol.asyncIterator]();
      this.reading = { nextStep: step, steps };
    }
    const { reading } = this;
    const next = await reading.steps.next();
    if (next.done === true) throw new FidelisError('INTERNAL', `the archive ends before step ${step}`);
    reading.nextStep = step + 1;
    return next.value;
  }

  private async ofSplit({ split, ids }: SampleRows): Promise<Float32Array> {
    if (this.predictions === undefined) {
      this.predictions = new Map();
      for await (const { split: name, values } of this.archive.predictions())
        this.predictions.set(name, values);
    }
    const table = this.predictions.get(split);
    if (table === undefined) {
      throw new FidelisError(
        'TEACHER.FAILED',
        `teacher ${this.teacherId} was imported without its logits on ${split}: export them as well (--predictions ${split})`,
        { details: { teacherId: this.teacherId, split } },
      );
    }
    const width = this.members * this.archive.manifest.classes;
    const values = new Float32Array(ids.length * width);
    ids.forEach((id, row) => values.set(table.subarray(id * width, (id + 1) * width), row * width));
    return values;
  }
}
