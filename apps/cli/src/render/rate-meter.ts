/** Progress is averaged over this long: steady enough to read, quick enough to follow a change. */
const WINDOW_MS = 8_000;
/** Before something has moved for so long, nobody can say when it will be done. */
const SOUND_MS = 1_500;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/**
 * Speed and time left of something that counts up. Only the moments at which it moved are looked at, so that the wait before the
 * first move, or for somebody else in between, is not taken for slowness.
 */
export class RateMeter {
  private moves: Sample[] = [];
  private latest: Sample | undefined;

  observe(done: number, atMs: number): void {
    const before = this.latest;
    this.latest = { atMs, done };
    if (before !== undefined && done === before.done) return;
    const lastMove = this.moves.at(-1);
    const startsOver = before === undefined || done < before.done;
    const stoodStill = lastMove !== undefined && atMs - lastMove.atMs > WINDOW_MS;
    if (startsOver || stoodStill) this.moves = [];
    if (startsOver) return;
    this.moves.push({ atMs, done });
    const oldest = this.moves.findLastIndex((sample) => sample.atMs <= atMs - WINDOW_MS);
    if (oldest > 0) this.moves.splice(0, oldest);
  }

  /** Per second; undefined unless it moves now. */
  rate(): number | undefined {
    const first = this.moves[0];
    const last = this.moves.at(-1);
    if (first === undefined || last === undefined || last.done === first.done) return undefined;
    if ((this.latest?.atMs ?? last.atMs) - last.atMs > WINDOW_MS) return undefined;
    return ((last.done - first.done) * 1_000) / (last.atMs - first.atMs);
  }

  /** Seconds until `total`; undefined until the speed is known well enough. */
  secondsLeft(total: number): number | undefined {
    const rate = this.rate();
    const first = this.moves[0];
    const last = this.moves.at(-1);
    if (rate === undefined || first === undefined || last === undefined) return undefined;
    if (last.atMs - first.atMs < SOUND_MS) return undefined;
    return Math.max(0, total - last.done) / rate;
  }
}
