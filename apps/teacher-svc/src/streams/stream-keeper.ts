import { storedSteps, type LogInfo, type StoredSteps } from '@fidelis/bus';
import { FidelisError } from '@fidelis/contracts';
import type { Logger } from '@fidelis/observability';
import { remedyOf, type LossRemedy } from './lost-steps.js';
import type { PositionBoard } from './position-board.js';
import { smallestNeed, type Reader } from './run-needs.js';
import { beginAnew, isUnfinished } from './stream-life.js';
import type { StreamQuota } from './stream-quota.js';
import type { StreamRow } from './stream.entity.js';

/** What the keeper needs of the bus. */
export interface KeeperLog {
  list(): Promise<readonly LogInfo[]>;
  steps(key: string, parts: number): Promise<StoredSteps | undefined>;
  renew(key: string, begin: { readonly parts: number; readonly firstStep: number }): Promise<unknown>;
}

/** What the keeper needs of the database. */
export interface KeeperStreams {
  /** Streams that a run reads, and those that are to be produced. */
  inUse(): Promise<readonly StreamRow[]>;
  runs(): Promise<ReadonlyMap<string, readonly Reader[]>>;
  closeUnread(key: string): Promise<unknown>;
  /** @param apply holds the row: nobody else changes it meanwhile */
  change(
    key: string,
    apply: (row: StreamRow, runs: readonly Reader[]) => boolean | Promise<boolean>,
  ): Promise<StreamRow | undefined>;
}

export interface KeeperPorts {
  readonly log: KeeperLog;
  readonly streams: KeeperStreams;
  readonly board: PositionBoard;
  /** Those of a teacher's artifacts that are not stored any more. */
  readonly missingWeights: (teacherId: string) => Promise<readonly string[]>;
  readonly quota: Pick<StreamQuota, 'beginLook'>;
  readonly logger: Logger;
}

/**
 * Level-triggered: whatever happened to the frames (they made room, a message was deleted, the broker lost its disk), what the runs on a stream may still
 * read is produced again. A stream that nobody reads is produced no further.
 */
export class StreamKeeper {
  constructor(private readonly ports: KeeperPorts) {}

  /** @returns the streams that have something to be produced now and had not before */
  async look(): Promise<StreamRow[]> {
    const { log, streams, board } = this.ports;
    const rows = await streams.inUse();
    const runs = await streams.runs();
    // After the rows: a log is never shorter than what was known of it before.
    const observe = this.ports.quota.beginLook();
    const logs = await log.list();
    observe(logs);
    const byKey = new Map(logs.map((info) => [info.key, info]));
    const mended: StreamRow[] = [];
    for (const row of rows) {
      const readers = runs.get(row.key) ?? [];
      if (readers.length === 0) {
        if (isUnfinished(row)) await streams.closeUnread(row.key);
        continue;
      }
      const info = byKey.get(row.key);
      const stored = info === undefined ? undefined : storedSteps(info, row.parts);
      if (remedy(row, readers, stored, board) === undefined) continue;
      const after = await this.mend(row.key);
      if (after !== undefined) mended.push(after);
    }
    return mended;
  }

  /** Looks again at this one, with the newest positions and while nobody else changes it, and does what is to be done. */
  async mend(key: string): Promise<StreamRow | undefined> {
    const { log, streams, board } = this.ports;
    return streams.change(key, async (row, readers) => {
      await board.refresh(readers.map(({ runId }) => runId));
      const stored = await log.steps(key, row.parts);
      const found = remedy(row, readers, stored, board);
      if (found === undefined) return false;
      if (found.kind === 'extend') {
        Object.assign(row, { state: 'opening', publishedSteps: found.fromStep });
        return true;
      }
      const missing = row.publishedSteps > 0 ? await this.ports.missingWeights(row.teacherId) : [];
      if (missing.length > 0) {
        Object.assign(row, {
          state: 'failed',
          waitsFor: null,
          error: goneError(row, stored, found, missing).toWire(),
        });
        return true;
      }
      if (row.publishedSteps > 0) {
        this.ports.logger.warn(
          { key, fromStep: found.fromStep, stored },
          'steps of a logit stream are gone: it is begun anew',
        );
      }
      // Without a student that has learned from the frames of before, anybody may produce the new ones.
      if (!readers.some(({ runId }) => (board.positionOf(runId)?.checkpointStep ?? -1) >= 0))
        row.producers = [];
      beginAnew(row, found.fromStep);
      await log.renew(key, { parts: row.parts, firstStep: found.fromStep });
      return true;
    });
  }
}

function remedy(
  row: StreamRow,
  readers: readonly Reader[],
  stored: StoredSteps | undefined,
  board: PositionBoard,
): LossRemedy | undefined {
  if (row.state === 'failed') return undefined;
  const need = smallestNeed(readers, row.view.kind, board.positionOf);
  if (need === undefined) return undefined;
  const { publishedSteps, steps } = row;
  const found = remedyOf(stored, { publishedSteps, steps, need });
  // Who produces it finds its end by itself.
  return found?.kind === 'extend' && isUnfinished(row) ? undefined : found;
}

function goneError(
  { key, teacherId, teacherDigest }: StreamRow,
  stored: StoredSteps | undefined,
  { fromStep }: LossRemedy,
  weights: readonly string[],
): FidelisError {
  const firstStep = stored?.firstStep ?? 0;
  const endStep = stored?.endStep ?? 0;
  const exists =
    endStep > firstStep ? `steps ${firstStep} to ${endStep - 1} exist` : 'no step exists any more';
  return new FidelisError(
    'STREAM.GONE',
    `step ${fromStep} of logit stream ${key} is gone, and so are the weights ${weights.map((digest) => `${digest.slice(0, 12)}…`).join(', ')} of teacher ` +
      `${teacherId} that could produce it again (${exists}): put the weights back into the artifact store, import the stream from a file ` +
      '(fidelis stream import), or train the teacher again and start the run anew',
    { details: { key, teacherId, teacherDigest, step: fromStep, firstStep, endStep, weights: [...weights] } },
  );
}
