const BUCKET = /^fidelis_frame_age_seconds_bucket\{.*le="([^"]+)".*\} (\S+)$/gm;

/** Frames younger than each bound, in seconds, ascending. */
type Counts = ReadonlyMap<number, number>;

/** Of these workers together, as Prometheus would read them. */
export async function countsOf(urls: readonly string[]): Promise<Counts> {
  const counts = new Map<number, number>();
  for (const url of urls) {
    const text = await (await fetch(new URL('/metrics', url))).text();
    for (const [, bound = '', count = ''] of text.matchAll(BUCKET)) {
      const seconds = bound === '+Inf' ? Infinity : Number(bound);
      counts.set(seconds, (counts.get(seconds) ?? 0) + Number(count));
    }
  }
  return counts;
}

/** @returns null if no frame was trained while it was live */
export function agesSince(
  before: Counts,
  after: Counts,
): { readonly p50: number; readonly p99: number } | null {
  const grown = [...after].map(([bound, count]) => ({ bound, count: count - (before.get(bound) ?? 0) }));
  const total = grown.at(-1)?.count ?? 0;
  return total === 0 ? null : { p50: quantile(grown, 0.5 * total), p99: quantile(grown, 0.99 * total) };
}

/** Within a bucket in proportion, as Prometheus's histogram_quantile. */
function quantile(
  buckets: readonly { readonly bound: number; readonly count: number }[],
  rank: number,
): number {
  const index = buckets.findIndex(({ count }) => count >= rank);
  const bucket = buckets[index];
  const below = buckets[index - 1] ?? { bound: 0, count: 0 };
  if (bucket === undefined || bucket.bound === Infinity) return below.bound;
  const share = (rank - below.count) / Math.max(1, bucket.count - below.count);
  return below.bound + share * (bucket.bound - below.bound);
}
