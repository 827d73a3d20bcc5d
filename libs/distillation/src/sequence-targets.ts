import { FidelisError, type LogitFrame } from '@fidelis/contracts';
import type { Batch, SequenceView } from '@fidelis/data';
import { combineMembers } from '@fidelis/models';
import { Arrival } from './arrival.js';
import { assertAligned, assertFits, type StreamLayout } from './stream-layout.js';
import type { TargetProvider } from './target-provider.js';

/** Steps held before `accept` waits for the training to catch up. */
const DEFAULT_LOOK_AHEAD_STEPS = 64;

export interface SequenceTargetsOptions {
  /** First step that will be asked for: frames of earlier ones are dropped. @default 0 */
  readonly fromStep?: number;
  /** @default 64 */
  readonly lookAheadSteps?: number;
}

interface PendingStep {
  readonly parts: (LogitFrame | undefined)[];
}

/** The teacher's logits over a sequence: each step is taken in, checked against this side's batch, handed out, and dropped. */
export class SequenceTargets implements TargetProvider {
  /** Of the whole run: what is before `fromStep` was taken in by the attempts before this one. */
  framesConsumed: number;
  framesTrained: number;
  private readonly arrival = new Arrival();
  private readonly room = new Arrival();
  private readonly pending = new Map<number, PendingStep>();
  private readonly lookAheadSteps: number;
  private nextStep: number;
  /** The furthest step that a frame may be of: those of a stream come in the order of their steps. */
  private frontStep: number;

  constructor(
    private readonly view: SequenceView,
    private readonly stream: StreamLayout,
    { fromStep = 0, lookAheadSteps = DEFAULT_LOOK_AHEAD_STEPS }: SequenceTargetsOptions = {},
  ) {
    this.nextStep = fromStep;
    this.frontStep = fromStep;
    this.framesConsumed = fromStep;
    this.framesTrained = fromStep;
    this.lookAheadSteps = lookAheadSteps;
  }

  get waitSeconds(): number {
    return this.arrival.waitSeconds;
  }

  /**
   * Takes a frame in. Await it before the next one: it resolves when the training is near enough to the frame's step, which is how
   * memory stays bounded.
   *
   * @throws FidelisError FRAME.INVALID, FRAME.FOREIGN; STREAM.MISALIGNED if the step has other rows there, or those before it
   *   were left out; what `fail` was given
   */
  async accept(frame: LogitFrame): Promise<void> {
    if (frame.step < this.nextStep) return;
    const { view } = this;
    // Otherwise the training would wait for ever for what will not come.
    if (frame.step > this.frontStep) throw this.leftOut(frame);
    assertFits(frame, this.stream, {
      view: view.spec,
      rows: view.rowsOf(frame.step),
      inputs: () => view.batch(frame.step).inputs,
    });
    await this.room.until(() => frame.step < this.nextStep + this.lookAheadSteps);
    if (frame.step < this.nextStep) return;
    this.frontStep = Math.max(this.frontStep, frame.step + 1);
    let step = this.pending.get(frame.step);
    if (step === undefined) {
      step = { parts: new Array<LogitFrame | undefined>(this.stream.parts).fill(undefined) };
      this.pending.set(frame.step, step);
    }
    step.parts[frame.part] ??= frame;
    this.arrival.announce();
  }

  /** No more frames will come: a training that waits, now or later, throws the error. */
  fail(error: unknown): void {
    this.arrival.fail(error);
    this.room.fail(error);
  }

  trained(step: number): void {
    this.framesTrained = Math.max(this.framesTrained, step + 1);
  }

  async targets(step: number, batch: Batch): Promise<Float32Array> {
    await this.arrival.until(
      () => this.pending.get(step)?.parts.every((part) => part !== undefined) ?? false,
    );
    const { members, classes, partRows } = this.stream;
    const logits = new Float32Array(batch.ids.length * classes);
    const verified = new Set<string>();
    for (const frame of this.pending.get(step)?.parts ?? []) {
      if (frame === undefined) continue;
      if (!verified.has(frame.inputDigest)) {
        assertAligned(frame, this.stream, this.view.spec, batch.inputs);
      }
      verified.add(frame.inputDigest);
      if (frame.rows === 0) continue;
      logits.set(combineMembers(frame.values, frame.rows, members, classes), frame.part * partRows * classes);
    }
    this.framesConsumed++;
    this.nextStep = step + 1;
    for (const held of this.pending.keys()) if (held <= step) this.pending.delete(held);
    this.room.announce();
    return logits;
  }

  private leftOut({ step, streamKey, inputDigest: digest }: LogitFrame): FidelisError {
    const { frontStep, view } = this;
    return new FidelisError(
      'STREAM.MISALIGNED',
      `step ${frontStep}: the stream ${streamKey} goes on with step ${step}, and this training with step ${frontStep}: it would be trained on other ` +
        'answers than its own. Nothing was trained on them; cancel the run and start it again',
      {
        details: { step: frontStep, student: { view: view.spec }, teacher: { streamKey, step, digest } },
      },
    );
  }
}
