export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One mode of one model; without figures where it cannot run, with the reason. */
export interface StepTiming {
  readonly model: string;
  readonly mode: string;
  readonly cores: number;
  readonly imagesPerSecond?: Spread;
  /** Largest resident set, less that of the library loaded and idle. */
  readonly peakMemoryBytes?: number;
  readonly unavailable?: string;
}

const MEBIBYTE = 2 ** 20;

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return { median: (low + high) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** Rates, and what they are beside PyTorch's in the same turns. */
export function printTable(timings: readonly StepTiming[]): void {
  const torch = timings.find(({ mode }) => mode === 'torch')?.imagesPerSecond?.median;
  for (const { model, mode, cores, imagesPerSecond, peakMemoryBytes, unavailable } of timings) {
    const name = `${model.padEnd(12)} ${String(cores)} ${cores === 1 ? 'core ' : 'cores'} ${mode.padEnd(14)}`;
    if (imagesPerSecond === undefined) {
      process.stdout.write(`${name} ${unavailable ?? 'no figure'}\n`);
      continue;
    }
    const { median, min, max } = imagesPerSecond;
    const rate = `${whole(median).padStart(7)} images/s (${whole(min)}–${whole(max)})`;
    const ratio = torch === undefined ? '' : `${(median / torch).toFixed(2)} × torch`;
    const memory = `${whole((peakMemoryBytes ?? 0) / MEBIBYTE)} MiB`;
    process.stdout.write(`${name} ${rate.padEnd(34)} ${ratio.padStart(14)} ${memory.padStart(10)}\n`);
  }
}

function whole(value: number): string {
  return value.toFixed(0);
}
