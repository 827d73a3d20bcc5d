/** Fewest insertions, deletions and substitutions of UTF-16 units that turn `a` into `b` (Levenshtein 1966). */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const deletion = (previous[column] ?? 0) + 1;
      const insertion = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(substitution, deletion, insertion));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * What somebody who wrote `name` probably meant, for messages of the form "did you mean".
 *
 * @returns the known name with the smallest edit distance (case ignored; of equals the first), or undefined if
 *   more than a third of the longer word, and more than two letters, would have to change
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  let shortest = Infinity;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    const tolerated = Math.min(
      Math.max(2, Math.floor(Math.max(name.length, candidate.length) / 3)),
      candidate.length - 1,
    );
    if (distance <= tolerated && distance < shortest) {
      nearest = candidate;
      shortest = distance;
    }
  }
  return nearest;
}
