/** Parts first … first + parts − 1 of an evaluation, merged; `parts` is a power of two and divides `first`. */
export interface PartRange {
  readonly first: number;
  readonly parts: number;
}

/** What storing one more part does. */
export interface PartMerges {
  /** Stored ranges that the part's own range absorbs, one after the other; each time the two are halves of a larger one. */
  readonly absorbed: readonly PartRange[];
  /** What is stored in their place. */
  readonly result: PartRange;
}

/**
 * Parts are merged as a binary counter carries: two ranges become one as soon as both halves of it are there. Which ranges are merged
 * with which depends on the parts' numbers alone, never on the order in which they come, so that the result is the same to the bit; and
 * of parts that come in order, at most log₂(parts) + 1 ranges are stored at a time.
 *
 * @returns undefined if the part is stored already
 */
export function mergesOf(stored: readonly PartRange[], part: number): PartMerges | undefined {
  if (stored.some(({ first, parts }) => first <= part && part < first + parts)) return undefined;
  const absorbed: PartRange[] = [];
  let result: PartRange = { first: part, parts: 1 };
  for (;;) {
    const sibling = siblingOf(result);
    if (!stored.some(({ first, parts }) => first === sibling.first && parts === sibling.parts)) {
      return { absorbed, result };
    }
    absorbed.push(sibling);
    result = { first: Math.min(result.first, sibling.first), parts: 2 * result.parts };
  }
}

function siblingOf({ first, parts }: PartRange): PartRange {
  const isLeft = (first / parts) % 2 === 0;
  return { first: isLeft ? first + parts : first - parts, parts };
}
