interface Reader<Item> {
  readonly resolve: (result: IteratorResult<Item>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A bounded queue between a source that cannot be held back and one reader: a reader that is too slow loses the oldest
 * items, never the newest. Made for states, where each item makes the ones before it obsolete.
 */
export class LatestQueue<Item> implements AsyncIterableIterator<Item> {
  private readonly items: Item[] = [];
  private readonly readers: Reader<Item>[] = [];
  private failure: Error | undefined;
  private ended = false;
  private droppedItems = 0;

  /** @param onEnd called once: when the reader leaves, or when the source has ended or failed */
  constructor(
    private readonly capacity: number,
    private readonly onEnd: () => void,
  ) {}

  get dropped(): number {
    return this.droppedItems;
  }

  push(item: Item): void {
    if (this.ended) return;
    const reader = this.readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: item });
      return;
    }
    this.items.push(item);
    if (this.items.length > this.capacity) {
      this.items.shift();
      this.droppedItems += 1;
    }
  }

  /** The reader still gets what is queued, then the end, or the error if there is one. */
  end(failure?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    for (const reader of this.readers.splice(0)) this.settle(reader);
    this.onEnd();
  }

  next(): Promise<IteratorResult<Item>> {
    return new Promise((resolve, reject) => {
      const item = this.items.shift();
      if (item !== undefined) resolve({ done: false, value: item });
      else if (this.ended) this.settle({ resolve, reject });
      else this.readers.push({ resolve, reject });
    });
  }

  /** Unlike an async generator's, it does not wait for an open `next()`: it ends it. */
  return(): Promise<IteratorResult<Item>> {
    this.items.length = 0;
    this.failure = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async throw(error: unknown): Promise<IteratorResult<Item>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The failure is told once; after it, and without one, the queue is at its end. */
  private settle(reader: Reader<Item>): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(failure);
  }
}
