import type { StreamRecord } from '@fidelis/contracts';
import { burstSteps, paceLimit } from '../streams/stream-pace.js';
import { stepBytes } from '../streams/stream-size.js';
import type { Reader } from '../streams/run-needs.js';
import type { StreamRow } from '../streams/stream.entity.js';
import type { ScoringPorts, StreamWork } from './scoring-ports.js';
import type { PieceTask } from './scorer-protocol.js';

/** Steps of a piece, at most; and rows, unless one step has more. A piece holds up the teacher's other streams, and whoever wants it to stop. */
const PIECE_STEPS = 16;
const PIECE_ROWS = 4_096;

export type StreamWait = NonNullable<StreamRecord['waitsFor']>;

/** One stream in the hands of a session: how far it was asked for, how far it is stored, and what it waits for. */
export class StreamFeed {
  readonly key: string;
  /** Bytes that a step takes in the log. */
  readonly stepBytes: number;
  /** Bytes of the piece that it asked room for last. */
  wantedBytes = 0;
  private readonly pieceSteps: number;
  private askedSteps: number;
  private storedSteps: number;
  private waiting: { readonly reason: StreamWait; readonly since: number; countedAt: number } | undefined;
  private readonly waitSeconds = new Map<StreamWait, number>();
  private readers: readonly Reader[];
  private current: StreamRow;
  private scoredFromStart: boolean;

  constructor(
    { row, readers }: StreamWork,
    /** The first step that is not stored yet. */
    fromStep: number,
    private readonly ports: Pick<ScoringPorts, 'board' | 'quota' | 'config'>,
  ) {
    this.key = row.key;
    this.current = row;
    this.readers = readers;
    this.stepBytes = stepBytes(row);
    const stepRows = row.parts * row.partRows;
    this.pieceSteps = Math.max(1, Math.min(PIECE_STEPS, Math.floor(PIECE_ROWS / stepRows)));
    this.askedSteps = fromStep;
    this.storedSteps = fromStep;
    this.scoredFromStart = fromStep === 0;
  }

  /** Whether this process scores it from its first step on. */
  get fromStart(): boolean {
    return this.scoredFromStart;
  }

  get row(): StreamRow {
    return this.current;
  }

  /** The step that is to be stored next; what comes of others was overtaken. */
  get nextStep(): number {
    return this.storedSteps;
  }

  get isComplete(): boolean {
    return this.storedSteps >= this.current.steps;
  }

  get waitsFor(): StreamWait | undefined {
    return this.waiting?.reason;
  }

  /** How long it has been waiting. */
  waitedMs(): number {
    return this.waiting === undefined ? 0 : performance.now() - this.waiting.since;
  }

  /** As the database has it now. */
  update({ row, readers }: StreamWork): void {
    this.current = row;
    this.readers = readers;
  }

  /** The row as it was changed just now. */
  rowChanged(row: StreamRow): void {
    this.current = row;
  }

  /** The broker itself has no room for the next step. */
  refuse(): void {
    this.giveUp();
    this.wait('quota');
  }

  /** The next piece to be scored; undefined if there is none for now: then it may wait. */
  nextPiece(): PieceTask | undefined {
    const { key, view, codec, parts, partRows, steps } = this.current;
    const { board, config, quota } = this.ports;
    const leadSteps = config.FIDELIS_STREAM_LEAD_STEPS;
    const limit = paceLimit({ kind: view.kind, steps }, this.readers, board.positionOf, leadSteps);
    const free = limit - this.askedSteps;
    const wanted = Math.min(free, this.pieceSteps);
    const resting = this.waitsFor === 'pace' && limit < steps && free < burstSteps(leadSteps);
    if (wanted <= 0 || resting) {
      this.wait(this.askedSteps < steps ? 'pace' : undefined);
      return undefined;
    }
    this.wantedBytes = wanted * this.stepBytes;
    const granted = quota.grant(this.stepBytes, wanted);
    this.wait(granted === 0 ? 'quota' : undefined);
    if (granted === 0) return undefined;
    const fromStep = this.askedSteps;
    this.askedSteps += granted;
    return { type: 'score-piece', key, view, codec, parts, partRows, fromStep, toStep: this.askedSteps };
  }

  /** The next step is stored. */
  stored(): void {
    this.ports.quota.settle(this.stepBytes, this.stepBytes);
    this.storedSteps += 1;
  }

  /** The log ends elsewhere: another replica has stored steps, or some were lost. What was asked for is asked for again from there. */
  moveTo(endStep: number): void {
    this.giveUp();
    this.scoredFromStart = false;
    this.storedSteps = endStep;
    this.askedSteps = endStep;
  }

  /** Nothing of what was asked for will be stored. */
  giveUp(): void {
    this.ports.quota.settle((this.askedSteps - this.storedSteps) * this.stepBytes, 0);
    this.askedSteps = this.storedSteps;
  }

  /** Seconds that it has waited since the last time, by reason. */
  takeWaitSeconds(): ReadonlyMap<StreamWait, number> {
    this.countWait();
    const seconds = new Map(this.waitSeconds);
    this.waitSeconds.clear();
    return seconds;
  }

  private wait(reason: StreamWait | undefined): void {
    if (reason === this.waiting?.reason) return;
    this.countWait();
    const since = performance.now();
    this.waiting = reason === undefined ? undefined : { reason, since, countedAt: since };
  }

  private countWait(): void {
    if (this.waiting === undefined) return;
    const now = performance.now();
    const { reason, countedAt } = this.waiting;
    this.waitSeconds.set(reason, (this.waitSeconds.get(reason) ?? 0) + (now - countedAt) / 1_000);
    this.waiting.countedAt = now;
  }
}
