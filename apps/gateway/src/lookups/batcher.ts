interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns the lookups that many fields of one request make at the same time into one call. Nothing is kept between
 * calls: a subscription that lives for hours asks anew for each event.
 */
export class Batcher<Value> {
  private waiting = new Map<string, Waiting<Value>[]>();

  /**
   * @param load gets each key once, at most `maxKeys` at a time
   * @param missing what a key that the answer lacks stands for
   */
  constructor(
    private readonly load: (keys: string[]) => Promise<ReadonlyMap<string, Value>>,
    private readonly missing: Value,
    private readonly maxKeys: number,
  ) {}

  get(key: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size === 0) this.schedule();
      const others = this.waiting.get(key);
      if (others === undefined) this.waiting.set(key, [{ resolve, reject }]);
      else others.push({ resolve, reject });
    });
  }

  private schedule(): void {
    // Sibling fields resolve within the microtasks of one turn: all of them are here when they are through.
    void Promise.resolve().then(() => {
      process.nextTick(() => this.dispatch());
    });
  }

  private dispatch(): void {
    const entries = [...this.waiting];
    this.waiting = new Map();
    for (let from = 0; from < entries.length; from += this.maxKeys) {
      void this.answer(new Map(entries.slice(from, from + this.maxKeys)));
    }
  }

  private async answer(batch: ReadonlyMap<string, readonly Waiting<Value>[]>): Promise<void> {
    try {
      const values = await this.load([...batch.keys()]);
      for (const [key, waiting] of batch) {
        const value = values.has(key) ? (values.get(key) as Value) : this.missing;
        for (const { resolve } of waiting) resolve(value);
      }
    } catch (error) {
      for (const waiting of batch.values()) for (const { reject } of waiting) reject(error);
    }
  }
}
