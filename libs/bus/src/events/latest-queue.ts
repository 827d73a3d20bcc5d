/** A queue between a fast sender and a slow reader that keeps the newest `limit` items. */
export class LatestQueue<Item> implements AsyncIterable<Item> {
  private readonly items: Item[] = [];
  private wake: (() => void) | undefined;
  private ended = false;

  constructor(
    private readonly limit: number,
    private readonly onDropped: () => void = () => undefined,
  ) {}

  push(item: Item): void {
    if (this.ended) return;
    if (this.items.length === this.limit) {
      this.items.shift();
      this.onDropped();
    }
    this.items.push(item);
    this.wake?.();
  }

  /** What is queued is still read. */
  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      const item = this.items.shift();
      if (item !== undefined) {
        yield item;
        continue;
      }
      if (this.ended) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
    }
  }
}
