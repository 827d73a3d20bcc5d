import path from 'node:path';
import type { StepSamples } from '@fidelis/data';
import { invalidArchive } from './archive-error.js';
import type { ArchiveManifest, ShardEntry } from './archive-manifest.js';
import { DIGEST_LENGTH, shardShape } from './shard-columns.js';
import { checkShardDigest, readShard, type RowBlock } from './shard-reader.js';
import { idLimit, rowsOfStep } from './step-rows.js';

/** One step as it was stored. Every array is new and belongs to the caller. */
export interface ArchiveStep extends StepSamples {
  readonly step: number;
  readonly rows: number;
  /** First 8 bytes, as 16 hexadecimal characters, of SHA-256 over the float32 bytes of the whole step's input. */
  readonly inputDigest: string;
  /** [rows][members][classes] */
  readonly values: Float32Array;
}

/** A step whose rows come in. */
class OpenStep {
  filled = 0;
  readonly ids: Uint32Array;
  readonly partners: Uint32Array;
  readonly weights: Float32Array;
  readonly values: Float32Array;

  constructor(
    readonly step: number,
    readonly rows: number,
    readonly inputDigest: string,
    width: number,
    private readonly mixing: boolean,
  ) {
    this.ids = new Uint32Array(rows);
    this.partners = new Uint32Array(mixing ? rows : 0);
    this.weights = new Float32Array(mixing ? rows : 0);
    this.values = new Float32Array(rows * width);
  }

  done(): ArchiveStep {
    const { step, rows, inputDigest, ids, values, partners, weights } = this;
    const mixing = this.mixing ? { mixing: { partners, weights } } : {};
    return { step, rows, inputDigest, ids, values, ...mixing };
  }
}

/**
 * The steps of one shard, each complete and checked.
 *
 * @throws FidelisError ARCHIVE.INVALID
 */
export async function* readSteps(
  directory: string,
  manifest: ArchiveManifest,
  shard: ShardEntry,
  signal?: AbortSignal,
): AsyncGenerator<ArchiveStep> {
  await checkShardDigest(directory, shard, signal);
  const file = path.join(directory, shard.file);
  const assembly = new StepAssembly(file, manifest, shard);
  for await (const block of readShard(file, shardShape(manifest))) {
    signal?.throwIfAborted();
    yield* assembly.take(block);
  }
  assembly.requireEnd();
}

class StepAssembly {
  private readonly width: number;
  private readonly endStep: number;
  private readonly ids: number;
  private step: number;
  private open: OpenStep | undefined;
  private rowsBefore = 0;

  constructor(
    private readonly file: string,
    private readonly manifest: ArchiveManifest,
    shard: ShardEntry,
  ) {
    this.width = manifest.members * manifest.classes;
    this.ids = idLimit(manifest);
    this.step = shard.firstStep;
    this.endStep = shard.firstStep + shard.steps;
  }

  *take(block: RowBlock): Generator<ArchiveStep> {
    for (let at = 0; at < block.rows;) {
      const open = this.open ?? this.begin(block, at);
      const count = Math.min(open.rows - open.filled, block.rows - at);
      for (let index = 0; index < count; index++) this.checkRow(open, open.filled + index, block, at + index);
      this.copy(open, block, at, count);
      open.filled += count;
      at += count;
      this.open = open.filled === open.rows ? undefined : open;
      if (this.open === undefined) {
        this.step += 1;
        yield open.done();
      }
    }
    this.rowsBefore += block.rows;
  }

  requireEnd(): void {
    if (this.step === this.endStep && this.open === undefined) return;
    throw this.invalid(
      `ends before row ${this.open?.filled ?? 0} of step ${this.step}, and the manifest says that it has all steps before ${this.endStep}. Copy or export it again`,
    );
  }

  private begin(block: RowBlock, at: number): OpenStep {
    if (this.step === this.endStep) {
      throw this.invalid(
        `has more rows than the ${this.rowsBefore + at} that the manifest says. Write a manifest that says what is in it`,
      );
    }
    const { step, manifest } = this;
    const digest = Buffer.from(digestBytes(block, at)).toString('latin1');
    if (!/^[0-9a-f]{16}$/.test(digest)) {
      throw this.invalid(
        `row ${this.rowsBefore + at}: input_digest ${JSON.stringify(digest)} has not 16 hexadecimal digits. Write the first 8 bytes of sha-256 over the step's float32 inputs`,
      );
    }
    return new OpenStep(step, rowsOfStep(manifest, step), digest, this.width, manifest.mixing);
  }

  private checkRow(open: OpenStep, row: number, block: RowBlock, at: number): void {
    const [step, actualRow] = [block.steps[at] ?? -1, block.rowNumbers[at] ?? -1];
    if (step !== open.step || actualRow !== row) {
      throw this.invalid(
        `row ${this.rowsBefore + at} is row ${actualRow} of step ${step}, and row ${row} of step ${open.step} belongs there: rows are sorted by step, then row, without gaps. Sort them, or export again`,
      );
    }
    const id = block.ids[at] ?? this.ids;
    const partner = block.mixing?.partners[at] ?? id;
    if (Math.max(id, partner) >= this.ids) {
      throw this.invalid(
        `step ${step}, row ${row}: there is no sample ${Math.max(id, partner)} in splits of ${this.ids} samples together. Write ids as docs/streams.md says`,
      );
    }
    if (!sameDigest(block, at, open.inputDigest)) {
      throw this.invalid(
        `step ${step}, row ${row} has another input_digest than row 0: the digest is of the step's whole batch. Write the same one in each of its rows`,
      );
    }
    for (let index = at * this.width; index < (at + 1) * this.width; index++) {
      if (Number.isNaN(block.logits[index])) {
        throw this.invalid(
          `step ${step}, row ${row} has a logit that is not a number. Nothing can be learned from it: look at what wrote it`,
        );
      }
    }
  }

  private copy(open: OpenStep, block: RowBlock, at: number, count: number): void {
    open.ids.set(block.ids.subarray(at, at + count), open.filled);
    if (block.mixing !== undefined) {
      open.partners.set(block.mixing.partners.subarray(at, at + count), open.filled);
      open.weights.set(block.mixing.weights.subarray(at, at + count), open.filled);
    }
    const values = block.logits.subarray(at * this.width, (at + count) * this.width);
    open.values.set(values, open.filled * this.width);
  }

  private invalid(problem: string): Error {
    return invalidArchive(this.file, problem);
  }
}

function digestBytes({ digests, digestOffsets }: RowBlock, at: number): Uint8Array {
  return digests.subarray(digestOffsets[at] ?? 0, digestOffsets[at + 1] ?? 0);
}

function sameDigest({ digests, digestOffsets }: RowBlock, at: number, digest: string): boolean {
  const start = digestOffsets[at] ?? 0;
  if ((digestOffsets[at + 1] ?? 0) - start !== DIGEST_LENGTH) return false;
  for (let index = 0; index < DIGEST_LENGTH; index++) {
    if (digests[start + index] !== digest.charCodeAt(index)) return false;
  }
  return true;
}
