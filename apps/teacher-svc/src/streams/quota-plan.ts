import type { StreamRecord } from '@fidelis/contracts';
import type { StoredSteps } from '@fidelis/bus';

/** A stream as the quota sees it. */
export interface StoredStream {
  readonly key: string;
  readonly state: StreamRecord['state'];
  readonly parts: number;
  readonly stored: StoredSteps;
  /** Whether a run is on it. */
  readonly attached: boolean;
  /** First step that a run may still read; undefined: none reads any more. A table's is 0 for as long as a run is on it. */
  readonly need: number | undefined;
  readonly lastUsedAt: Date;
}

export interface QuotaPlan {
  /** Keys of streams whose frames make room, the one that was not used for longest first. */
  readonly evict: readonly string[];
  readonly purge: readonly { readonly key: string; readonly parts: number; readonly beforeStep: number }[];
  /** About so many bytes become free. */
  readonly freedBytes: number;
}

/**
 * What has to go so that `wantedBytes` become free, and no more than that: first whole streams that nobody reads, least recently used first; then
 * what lies before every run's checkpoint.
 */
export function quotaPlan(streams: readonly StoredStream[], wantedBytes: number): QuotaPlan {
  let freedBytes = 0;
  const evict: string[] = [];
  for (const { key, stored } of streams.filter(isIdle).sort(byLastUse)) {
    if (freedBytes >= wantedBytes) break;
    evict.push(key);
    freedBytes += stored.bytes;
  }
  const purge: { key: string; parts: number; beforeStep: number }[] = [];
  const purgeable = streams
    .filter(({ attached }) => attached)
    .map((stream) => ({ stream, ...readByAll(stream) }));
  for (const { stream, beforeStep, bytes } of purgeable.sort((a, b) => b.bytes - a.bytes)) {
    if (freedBytes >= wantedBytes || bytes === 0) break;
    purge.push({ key: stream.key, parts: stream.parts, beforeStep });
    freedBytes += bytes;
  }
  return { evict, purge, freedBytes };
}

function isIdle({ state, attached, stored }: StoredStream): boolean {
  return !attached && (state === 'complete' || state === 'failed') && stored.bytes > 0;
}

function byLastUse(a: StoredStream, b: StoredStream): number {
  return a.lastUsedAt.getTime() - b.lastUsedAt.getTime();
}

/** What no run reads again of a stream that has runs on it. */
function readByAll({ stored, need }: StoredStream): { beforeStep: number; bytes: number } {
  const { firstStep, endStep, bytes } = stored;
  const beforeStep = Math.min(need ?? endStep, endStep);
  if (beforeStep <= firstStep) return { beforeStep, bytes: 0 };
  return { beforeStep, bytes: (bytes * (beforeStep - firstStep)) / (endStep - firstStep) };
}
