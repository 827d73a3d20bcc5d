import { requireThat, requireFinite, requireSeed } from './requirement.js';
import { SOURCE_PURPOSES, threefrySource, type UniformSource } from './uniform-source.js';

/** Up to this many differences that are not zero, every assignment of signs is tried: 2^16. */
export const EXACT_UP_TO = 16;
/** Signs are drawn in blocks of 64, the two words of one call of the source. */
const BLOCK = 64;
const BYTE = 8;

export interface PermutationSettings {
  readonly seed: number;
  /** @default 10,000 */
  readonly permutations?: number;
  /** @default Threefry2x32-20 keyed by the seed */
  readonly source?: UniformSource;
}

export interface PermutationResult {
  /** Mean of the differences, in their unit. */
  readonly meanDifference: number;
  /** Two-sided. */
  readonly pValue: number;
  readonly method: 'exact' | 'monte-carlo';
  /** Assignments of signs tried. */
  readonly permutations: number;
}

/**
 * Paired permutation test of whether a mean differs between two models on the same samples. Under the null hypothesis that the
 * two are exchangeable on each sample, every assignment of signs to the differences dᵢ is equally probable:
 * p = P(|Σ ±dᵢ| ≥ |Σ dᵢ|), two-sided. Zero differences change no sum and are left out.
 * - Up to 16 others: exact, over all 2^m assignments; the smallest p there can be is 2/2^m.
 * - Otherwise: R random assignments, p = (1 + #{|Σ ±dᵢ| ≥ |Σ dᵢ|})/(1 + R), which is never 0 and never below its level (Phipson,
 *   Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010). The same seed gives the same p.
 *
 * Sums within 1e-12·Σ|dᵢ| of the observed one count as equal to it: ties belong to p however they are rounded. No differences but
 * zeros give p = 1.
 *
 * @param differences first minus second per sample, in any unit
 * @throws FidelisError REQUEST.INVALID for no samples, values that are not finite, and bad settings
 */
export function pairedPermutationTest(
  differences: ArrayLike<number>,
  settings: PermutationSettings,
): PermutationResult {
  const steps = pairedPermutationSteps(differences, settings);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * `pairedPermutationTest` in steps between which other things can happen.
 *
 * @returns yields after each step which share of the samples is done, 0…1
 * @throws FidelisError REQUEST.INVALID as `pairedPermutationTest`, from the first step on
 */
export function* pairedPermutationSteps(
  differences: ArrayLike<number>,
  settings: PermutationSettings,
): Generator<number, PermutationResult> {
  const {
    seed,
    permutations = 10_000,
    source = threefrySource(seed, SOURCE_PURPOSES.permutation),
  } = settings;
  requireThat(differences.length > 0, 'a paired test needs at least one sample');
  requireThat(
    Number.isInteger(permutations) && permutations > 0 && permutations <= 10_000_000,
    `permutations are a whole number from 1 to 10000000: got ${permutations}`,
  );
  requireSeed(seed);
  requireFinite(differences, 'paired differences');
  const values = Float64Array.from(differences).filter((difference) => difference !== 0);
  const sum = values.reduce((total, value) => total + value, 0);
  const size = values.reduce((total, value) => total + Math.abs(value), 0);
  const threshold = Math.abs(sum) - 1e-12 * size;
  const meanDifference = sum / differences.length;
  if (values.length <= EXACT_UP_TO) {
    const assignments = 2 ** values.length;
    return {
      meanDifference,
      pValue: countExtreme(signedSums(values), threshold) / assignments,
      method: 'exact',
      permutations: assignments,
    };
  }
  const sums = yield* randomSignSums(values, permutations, source);
  const pValue = (1 + countExtreme(sums, threshold)) / (1 + permutations);
  return { meanDifference, pValue, method: 'monte-carlo', permutations };
}

function countExtreme(sums: Float64Array, threshold: number): number {
  let extreme = 0;
  for (const sum of sums) if (Math.abs(sum) >= threshold) extreme++;
  return extreme;
}

/** The sums of all 2^m assignments of signs; bit i of the index says whether value i counts positively. */
function signedSums(values: Float64Array): Float64Array {
  let sums = new Float64Array(1);
  for (const value of values) {
    const doubled = new Float64Array(sums.length * 2);
    sums.forEach((sum, index) => {
      doubled[index] = sum - value;
      doubled[index + sums.length] = sum + value;
    });
    sums = doubled;
  }
  return sums;
}

/**
 * Sums under random signs. The differences are taken in blocks of 64, for each of which eight tables of 256 sums fit the
 * nearest cache and turn eight signs into one addition.
 */
function* randomSignSums(
  values: Float64Array,
  permutations: number,
  source: UniformSource,
): Generator<number, Float64Array> {
  const sums = new Float64Array(permutations);
  const tables = new Float64Array((BLOCK / BYTE) * 256);
  const words = new Uint32Array(2);
  const bytes = new Uint8Array(words.buffer);
  for (let block = 0; block * BLOCK < values.length; block++) {
    for (let byte = 0; byte < BLOCK / BYTE; byte++) {
      const start = block * BLOCK + byte * BYTE;
      const group = new Float64Array(BYTE);
      group.set(values.subarray(start, start + BYTE));
      tables.set(signedSums(group), byte * 256);
    }
    for (let permutation = 0; permutation < permutations; permutation++) {
      source.fill(permutation, block, words);
      let sum = sums[permutation] ?? 0;
      for (let byte = 0; byte < BLOCK / BYTE; byte++) sum += tables[byte * 256 + (bytes[byte] ?? 0)] ?? 0;
      sums[permutation] = sum;
    }
    yield Math.min(1, ((block + 1) * BLOCK) / values.length);
  }
  return sums;
}
