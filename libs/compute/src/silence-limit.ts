/**
 * The items of `source`, for as long as they come: throws `error()` when one is waited for longer than `limitMs`. Time that the reader
 * spends between two items does not count, so a reader that is held up itself never takes its source for dead.
 */
export async function* withSilenceLimit<Item>(
  source: AsyncIterable<Item>,
  limitMs: number,
  error: () => Error,
): AsyncGenerator<Item> {
  const items = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await within(items.next(), limitMs, error);
    if (next.done === true) return;
    yield next.value;
  }
}

async function within<Result>(work: Promise<Result>, limitMs: number, error: () => Error): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), limitMs);
  });
  // What it comes to after the limit is of no interest.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
