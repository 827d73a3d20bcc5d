import type { StreamDetails, StreamRun } from '@fidelis/contracts';
import { storedSteps, type LogInfo } from '@fidelis/bus';
import type { Position, PositionOf } from './run-needs.js';
import { toStreamRecord } from './stream-records.js';
import type { StreamRunRow } from './stream-run.entity.js';
import type { StreamRow } from './stream.entity.js';

/** A stream with what is stored of it and the runs on it. */
export function streamDetails(
  row: StreamRow,
  log: LogInfo | undefined,
  runs: readonly StreamRunRow[],
  positionOf: PositionOf,
): StreamDetails {
  const stored = log === undefined ? undefined : storedSteps(log, row.parts);
  return {
    stream: toStreamRecord(row),
    firstStep: stored?.firstStep ?? 0,
    storedBytes: stored?.bytes ?? 0,
    runs: runs.map((run) => streamRun(run, positionOf(run.runId))),
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
  };
}

function streamRun({ runId, steps }: StreamRunRow, position: Position | undefined): StreamRun {
  return {
    runId,
    steps,
    trainedStep: position?.trainedStep ?? null,
    checkpointStep: position?.checkpointStep ?? null,
  };
}
