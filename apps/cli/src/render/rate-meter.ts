/** Progress is averaged over this long: steady enough to read, quick enough to follow a change. */
const WINDOW_MS = 8_000;

/** Speed and time left of something that counts up, from what was seen in the last seconds. */
export class RateMeter {
  private samples: { readonly atMs: number; readonly done: number }[] = [];

  observe(done: number, atMs: number): void {
    const last = this.samples.at(-1);
    // What starts over (a new attempt) has a new speed.
    if (last !== undefined && done < last.done) this.samples = [];
    this.samples.push({ atMs, done });
    const oldest = this.samples.findLastIndex((sample) => sample.atMs <= atMs - WINDOW_MS);
    if (oldest > 0) this.samples.splice(0, oldest);
  }

  /** Per second; undefined until something moved. */
  rate(): number | undefined {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.done === first.done) return undefined;
    return ((last.done - first.done) * 1_000) / (last.atMs - first.atMs);
  }

  /** Seconds until `total`; undefined if the speed is unknown. */
  secondsLeft(total: number): number | undefined {
    const rate = this.rate();
    const done = this.samples.at(-1)?.done;
    if (rate === undefined || done === undefined || rate <= 0) return undefined;
    return Math.max(0, total - done) / rate;
  }
}
