import type { ViewSpec } from '@fidelis/contracts';

/** Where a run is: what of its position concerns its stream. */
export interface Position {
  readonly trainedStep: number;
  readonly checkpointStep: number;
}

/** undefined: it has not reported yet. */
export type PositionOf = (runId: string) => Position | undefined;

/** A run on a stream. */
export interface Reader {
  readonly runId: string;
  /** Steps that it reads. */
  readonly steps: number;
}

/**
 * The first step that a run may still read: a killed student goes on at its checkpoint. The student of a table holds all of it in memory and no more,
 * so its next attempt reads all of it again.
 *
 * @returns undefined if it reads no more
 */
export function needOf(
  { runId, steps }: Reader,
  kind: ViewSpec['kind'],
  positionOf: PositionOf,
): number | undefined {
  if (kind === 'table') return 0;
  const need = (positionOf(runId)?.checkpointStep ?? -1) + 1;
  return need < steps ? need : undefined;
}

/** The first step that any of the runs may still read; undefined if none reads any more. */
export function smallestNeed(
  readers: readonly Reader[],
  kind: ViewSpec['kind'],
  positionOf: PositionOf,
): number | undefined {
  const needs = readers.flatMap((reader) => needOf(reader, kind, positionOf) ?? []);
  return needs.length === 0 ? undefined : Math.min(...needs);
}

/** Last step that the fastest of the runs has trained on; −1 if none has. */
export function fastestStep(readers: readonly Reader[], positionOf: PositionOf): number {
  return Math.max(-1, ...readers.map(({ runId }) => positionOf(runId)?.trainedStep ?? -1));
}
