/** Number of what is no word: the rest of a text that is shorter than others. */
export const PADDING = 0;
/** Number of a word that the vocabulary has not. */
export const UNKNOWN = 1;
const FIRST_WORD = 2;

/** In this order (torchtext's `basic_english`). */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [/'/g, " ' "],
  [/"/g, ''],
  [/\./g, ' . '],
  [/<br \/>/g, ' '],
  [/,/g, ' , '],
  [/\(/g, ' ( '],
  [/\)/g, ' ) '],
  [/!/g, ' ! '],
  [/\?/g, ' ? '],
  [/;/g, ' '],
  [/:/g, ' '],
];

/** Words and marks of an English text in lower case. */
export function tokenise(text: string): string[] {
  const spaced = REPLACEMENTS.reduce((line, [from, to]) => line.replace(from, to), text.toLowerCase());
  return spaced.split(/\s+/).filter((token) => token !== '');
}

/** Numbers of the words that come at least `minFrequency` times: by frequency, and of equals by code unit. */
export function vocabularyOf(
  texts: readonly (readonly string[])[],
  minFrequency: number,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) for (const token of text) counts.set(token, (counts.get(token) ?? 0) + 1);
  const words = [...counts].filter(([, count]) => count >= minFrequency);
  words.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  return new Map(words.map(([word], index) => [word, FIRST_WORD + index]));
}

/** Size of the vocabulary, padding and the unknown word included. */
export function vocabularySize(vocabulary: ReadonlyMap<string, number>): number {
  return FIRST_WORD + vocabulary.size;
}

/**
 * Numbers of a text's words. Words that are not in the vocabulary are left out (as rare ones are in the paper); a text with no other
 * has the unknown word, so that no text is empty.
 */
export function encodeText(
  tokens: readonly string[],
  vocabulary: ReadonlyMap<string, number>,
  maxLength: number,
): number[] {
  const numbers = tokens.flatMap((token) => vocabulary.get(token) ?? []).slice(0, maxLength);
  return numbers.length === 0 ? [UNKNOWN] : numbers;
}
