import type { RunPosition } from '@fidelis/contracts';
import { waitFor } from '@fidelis/testing';
import type { FaultStack } from './fault-stack.js';

const PROGRESS_DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 10;

/** A run under way, whose progress tells when to strike. */
export class DisturbedRun {
  private struckAt: string[] = [];

  constructor(
    private readonly stack: FaultStack,
    readonly id: string,
    readonly streamKey: string,
  ) {}

  /** Where it was struck so far, for people. */
  get strikes(): string {
    return this.struckAt.length > 6
      ? `${this.struckAt.length} steps, ${this.struckAt[0] ?? ''}–${this.struckAt.at(-1) ?? ''}`
      : this.struckAt.join(', ');
  }

  async position(): Promise<RunPosition | undefined> {
    return (await this.stack.positions.read(this.id))?.position;
  }

  /** Its worker has said that this step is trained. @throws Error if the run ended before */
  async trained(step: number): Promise<void> {
    const at = await this.wait(`to have trained step ${step}`, async () => {
      const position = await this.position();
      return position !== undefined && position.trainedStep >= step ? position.trainedStep : undefined;
    });
    this.struckAt.push(String(at));
  }

  /** So many of its teacher's frames are stored. @throws Error if the run ended before */
  async published(frames: number): Promise<void> {
    const stored = await this.wait(`to have ${frames} frames`, async () => {
      const count = (await this.stack.log.lastStep(this.streamKey, 1)) + 1;
      return count >= frames ? count : undefined;
    });
    this.struckAt.push(`frame ${stored}`);
  }

  /** Steps that it has behind it had to make room. @throws Error if the run ended before */
  async purged(): Promise<void> {
    const first = await this.wait('to have steps that are gone', async () => {
      const firstSequence = (await this.stack.log.info(this.streamKey))?.firstSequence ?? 0;
      return firstSequence > 1 ? firstSequence - 1 : undefined;
    });
    this.struckAt.push(`without its first ${first}`);
  }

  private async wait(what: string, progress: () => Promise<number | undefined>): Promise<number> {
    let result: RunPosition['result'] | undefined;
    const found = await waitFor(
      async () => {
        const value = await progress();
        if (value !== undefined) return value;
        result = (await this.position())?.result;
        return result === undefined || result === null ? undefined : -1;
      },
      { what: `run ${this.id} ${what}`, deadlineMs: PROGRESS_DEADLINE_MS, everyMs: LOOK_EVERY_MS },
    );
    if (found < 0) throw new Error(`run ${this.id} ended before it was ${what}: ${JSON.stringify(result)}`);
    return found;
  }
}
