/** How old frames are when their step is trained: of a live stream the distance between teacher and student. */
export class FrameAges {
  private readonly storedAt = new Map<number, number>();
  private ages: number[] = [];

  /** @param since frames that were stored before are replayed, and have no age worth telling; ms since 1970 */
  constructor(
    private readonly since: number = Date.now(),
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** Of a step with several parts the last one counts. */
  arrived(step: number, storedAtMs: number): void {
    if (storedAtMs >= this.since) this.storedAt.set(step, storedAtMs);
  }

  trained(step: number): void {
    const storedAtMs = this.storedAt.get(step);
    if (storedAtMs === undefined) return;
    this.storedAt.delete(step);
    this.ages.push(Math.max(0, (this.now() - storedAtMs) / 1_000));
  }

  /** Seconds, of what was trained since the last time. */
  take(): readonly number[] {
    const { ages } = this;
    this.ages = [];
    return ages;
  }
}
