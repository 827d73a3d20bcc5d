import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SplitData } from '../dataset.js';
import { shuffleFront } from '../permutation.js';
import { randomBelow, randomKey } from '../random.js';
import { notThere } from './folder-entries.js';
import { refused, type ImportedContent, type ImportOptions } from './import-types.js';
import { encodeText, PADDING, tokenise, vocabularyOf, vocabularySize } from './tokens.js';

const DEFAULTS = { minFrequency: 2, maxLength: 64, testFraction: 0.1, seed: 0 } as const;
/** Numbers of words are stored in 16 bits. */
const LARGEST_VOCABULARY = 65_536;

interface LabelledText {
  readonly tokens: readonly string[];
  readonly label: number;
}

/**
 * Sentences, one a line, in a `.neg` and a `.pos` file (B. Pang and L. Lee, sentence polarity dataset 1.0). A seeded part of each class
 * is for testing; the vocabulary is that of the others.
 *
 * @throws FidelisError REQUEST.INVALID
 */
export async function importSentencePolarity(
  source: string,
  options: ImportOptions,
): Promise<ImportedContent> {
  const { minFrequency, maxLength, testFraction, seed } = { ...DEFAULTS, ...options.text };
  const splits: Record<'train' | 'test', LabelledText[]> = { train: [], test: [] };
  for (const [label, ending] of ['.neg', '.pos'].entries()) {
    const sentences = await readSentences(source, ending);
    const held = Math.floor(sentences.length * testFraction);
    if (held === 0 || held === sentences.length) {
      throw refused(
        `a test fraction of ${testFraction} leaves a split of ${sentences.length} sentences empty`,
      );
    }
    const order = Uint32Array.from(sentences, (_, index) => index);
    const key = randomKey(seed, 'split');
    shuffleFront(order, held, (position, bound) => randomBelow(key, [1, label], position, bound));
    const testing = new Set(order.subarray(0, held));
    sentences.forEach((sentence, index) =>
      splits[testing.has(index) ? 'test' : 'train'].push({ tokens: tokenise(sentence), label }),
    );
  }
  const vocabulary = vocabularyOf(
    splits.train.map(({ tokens }) => tokens),
    minFrequency,
  );
  if (vocabularySize(vocabulary) > LARGEST_VOCABULARY) {
    throw refused(
      `there are ${vocabulary.size} words: give a greater --min-frequency, for at most ${LARGEST_VOCABULARY - 2}`,
    );
  }
  const encoded = (texts: readonly LabelledText[]): number[][] =>
    texts.map(({ tokens }) => encodeText(tokens, vocabulary, maxLength));
  const numbers = { train: encoded(splits.train), test: encoded(splits.test) };
  const length = [...numbers.train, ...numbers.test].reduce((most, text) => Math.max(most, text.length), 0);
  const split = (name: 'train' | 'test'): SplitData => ({
    size: splits[name].length,
    inputs: padded(numbers[name], length),
    labels: Uint8Array.from(splits[name], ({ label }) => label),
  });
  return {
    classNames: ['negative', 'positive'],
    inputShape: { length, vocabulary: vocabularySize(vocabulary) },
    splits: { train: split('train'), test: split('test') },
    text: {
      title: 'Sentence polarity',
      description:
        `Sentences of film reviews, tokenised as basic_english; words that come less than ${minFrequency} times are left out, ` +
        `texts are cut at ${maxLength}; ${testFraction} of each class for testing (seed ${seed}).`,
      license: 'not stated by the authors (B. Pang and L. Lee, 2005)',
      source: 'sentence polarity files',
    },
  };
}

async function readSentences(source: string, ending: string): Promise<string[]> {
  const names = await readdir(source).catch((cause: unknown) => {
    throw notThere(source, cause);
  });
  const found = names.filter((name) => name.endsWith(ending));
  const [name] = found;
  if (name === undefined || found.length > 1) {
    throw refused(
      `${source} has ${found.length} files *${ending}: sentence polarity is one *.neg and one *.pos`,
    );
  }
  const text = await readFile(path.join(source, name), 'utf8');
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** [texts][length] */
function padded(texts: readonly (readonly number[])[], length: number): Uint16Array {
  const inputs = new Uint16Array(texts.length * length).fill(PADDING);
  texts.forEach((text, index) => inputs.set(text, index * length));
  return inputs;
}
