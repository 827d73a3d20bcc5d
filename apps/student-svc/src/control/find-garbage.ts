import type { StoredArtifact } from '@fidelis/bus';
import type { RunPosition, StreamDetails, TeacherRecord } from '@fidelis/contracts';
import { otherRefs } from '@fidelis/data';
import type { RunLife } from './run.repository.js';

/** All that is there, as it was seen: artifacts first, so that none is missed that came while the rest was read. */
export interface Inventory {
  readonly artifacts: readonly StoredArtifact[];
  readonly runs: readonly RunLife[];
  readonly teachers: readonly TeacherRecord[];
  readonly streams: readonly StreamDetails[];
  readonly positions: ReadonlyMap<string, RunPosition>;
  /** Artifacts that teachers and streams refer to. */
  readonly teacherArtifacts: readonly string[];
  /** Artifacts that are archives, by the digests of their datasets. */
  readonly archives: ReadonlyMap<string, string>;
}

export interface FoundGarbage {
  readonly streams: readonly { readonly key: string; readonly bytes: number }[];
  readonly artifacts: readonly { readonly digest: string; readonly bytes: number }[];
  readonly positions: readonly string[];
}

/**
 * What nothing refers to. A checkpoint is needed while its training can go on: also of one that failed, which can be taken up again.
 *
 * @param before what is younger stays: its record may be on the way
 */
export function findGarbage(inventory: Inventory, before: Date): FoundGarbage {
  const { artifacts, runs, teachers, streams, positions, teacherArtifacts, archives } = inventory;
  const done = new Map([
    ...runs.map(
      ({ id, state, endedAt }) =>
        [id, state === 'completed' || state === 'cancelled' ? endedAt : null] as const,
    ),
    ...teachers.map(({ id, readyAt }) => [id, readyAt === null ? null : new Date(readyAt)] as const),
  ]);
  const garbagePositions = [...positions.keys()].filter((id) => {
    const endedAt = done.get(id);
    return endedAt === undefined || (endedAt !== null && endedAt < before);
  });
  const forgotten = new Set(garbagePositions);
  const needed = new Set(teacherArtifacts);
  for (const { weights } of runs) if (weights !== null) needed.add(weights);
  for (const digest of datasetsOf(inventory)) {
    const archive = archives.get(digest);
    if (archive !== undefined) needed.add(archive);
  }
  for (const [id, position] of positions) {
    if (!forgotten.has(id)) for (const digest of artifactsOf(position)) needed.add(digest);
  }
  return {
    streams: streams
      .filter((details) => isUnused(details, before))
      .map(({ stream, storedBytes }) => ({ key: stream.key, bytes: storedBytes })),
    artifacts: artifacts
      .filter(({ digest, storedAt }) => !needed.has(digest) && storedAt < before)
      .map(({ digest, bytes }) => ({ digest, bytes })),
    positions: garbagePositions,
  };
}

/** Of runs, which may be taken up again, of teachers, which new runs may ask for more, and of the streams that can be produced again. */
function datasetsOf({ runs, teachers, streams }: Inventory): ReadonlySet<string> {
  const views = streams.map(({ stream }) => stream.view);
  return new Set([
    ...runs.flatMap(({ dataset, others }) => [dataset, ...(others ?? []).map(({ digest }) => digest)]),
    ...teachers.map(({ spec }) => spec.dataset.digest),
    ...views.flatMap((view) => [view.dataset, ...otherRefs(view)].map(({ digest }) => digest)),
  ]);
}

function isUnused({ stream, runs, lastUsedAt }: StreamDetails, before: Date): boolean {
  const atWork = stream.state === 'opening' || stream.state === 'producing';
  return !atWork && runs.length === 0 && new Date(lastUsedAt) < before;
}

function artifactsOf({ checkpoint, result }: RunPosition): string[] {
  const weights = result?.outcome === 'completed' ? [result.weights] : [];
  return checkpoint === null ? weights : [checkpoint, ...weights];
}
