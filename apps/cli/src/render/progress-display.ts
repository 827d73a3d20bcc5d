import { RateMeter } from './rate-meter.js';
import { stageLine, stageText, standsStill, type StageSpeed, type StageView } from './stage-view.js';
import type { Style } from './style.js';

/** Where progress is written: stderr. */
export interface ProgressTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressDisplay {
  /** Shows the stages as they are now, in order. May be called as often as anything changes. */
  show(stages: readonly StageView[]): void;
  /** Writes lines without disturbing the bars. */
  note(text: string): void;
  /** Leaves the last state on the screen. Nothing may follow. */
  end(): void;
}

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 2_000;
/** A stage that does not move is told of this often: not silent, and not a flood. */
const UNCHANGED_LINE_MS = 30_000;
const DEFAULT_COLUMNS = 100;

export function createProgressDisplay(
  target: ProgressTarget,
  style: Style,
  now: () => number = () => performance.now(),
): ProgressDisplay {
  return target.isTTY === true ? new BarDisplay(target, style, now) : new LineDisplay(target, now);
}

/** What a stage was last seen to be, and since when. */
interface Standing {
  readonly what: string;
  readonly sinceMs: number;
}

class StageSpeeds {
  private readonly meters = new Map<string, RateMeter>();
  private readonly standings = new Map<string, Standing>();

  observe(stage: StageView, atMs: number): StageSpeed {
    let meter = this.meters.get(stage.label);
    if (meter === undefined) this.meters.set(stage.label, (meter = new RateMeter()));
    if (stage.state === 'running') meter.observe(stage.done, atMs);
    return {
      rate: meter.rate(),
      secondsLeft: stage.total > 0 ? meter.secondsLeft(stage.total) : undefined,
      stillSeconds: this.stillSeconds(stage, atMs),
    };
  }

  private stillSeconds({ label, state, done, total, waitsFor }: StageView, atMs: number): number {
    const what = [state, done, total, waitsFor].join(' ');
    const standing = this.standings.get(label);
    if (standing?.what === what) return (atMs - standing.sinceMs) / 1_000;
    this.standings.set(label, { what, sinceMs: atMs });
    return 0;
  }
}

/** One line for each stage, drawn over again in place. */
class BarDisplay implements ProgressDisplay {
  private readonly speeds = new StageSpeeds();
  private stages: readonly StageView[] = [];
  private drawnLines = 0;
  private drawnAtMs = -Infinity;
  private pending: NodeJS.Timeout | undefined;

  constructor(
    private readonly target: ProgressTarget,
    private readonly style: Style,
    private readonly now: () => number,
  ) {}

  show(stages: readonly StageView[]): void {
    this.stages = stages;
    const waitMs = this.drawnAtMs + REDRAW_MS - this.now();
    if (waitMs <= 0) this.draw();
    else this.pending ??= setTimeout(() => this.draw(), waitMs).unref();
  }

  note(text: string): void {
    this.erase();
    this.target.write(`${text}\n`);
    this.draw();
  }

  end(): void {
    this.draw();
    this.stages = [];
    this.drawnLines = 0;
  }

  private draw(): void {
    clearTimeout(this.pending);
    this.pending = undefined;
    this.erase();
    this.drawnAtMs = this.now();
    const width = this.target.columns ?? DEFAULT_COLUMNS;
    const lines = this.stages.map((stage) =>
      stageLine(stage, this.speeds.observe(stage, this.drawnAtMs), this.style, width),
    );
    this.drawnLines = lines.length;
    if (lines.length > 0) this.target.write(`${lines.join('\n')}\n`);
  }

  /** Up to the first drawn line, and clears from there to the end of the screen. */
  private erase(): void {
    if (this.drawnLines > 0) this.target.write(`\u001B[${this.drawnLines}A\r\u001B[J`);
    this.drawnLines = 0;
  }
}

interface ShownLine {
  readonly state: StageView['state'];
  readonly done: number;
  readonly atMs: number;
}

/** For logs and pipes: a line when a stage begins and ends, and while it moves at most one every two seconds. */
class LineDisplay implements ProgressDisplay {
  private readonly speeds = new StageSpeeds();
  private readonly shown = new Map<string, ShownLine>();

  constructor(
    private readonly target: ProgressTarget,
    private readonly now: () => number,
  ) {}

  show(stages: readonly StageView[]): void {
    const atMs = this.now();
    for (const stage of stages) {
      const speed = this.speeds.observe(stage, atMs);
      if (!isDue(stage, speed, this.shown.get(stage.label), atMs)) continue;
      this.shown.set(stage.label, { state: stage.state, done: stage.done, atMs });
      this.target.write(`${stage.label}: ${stageText(stage, speed)}\n`);
    }
  }

  note(text: string): void {
    this.target.write(`${text}\n`);
  }

  end(): void {
    this.shown.clear();
  }
}

function isDue(stage: StageView, speed: StageSpeed, last: ShownLine | undefined, atMs: number): boolean {
  const { state, done } = stage;
  if (state === 'waiting' && !standsStill(stage, speed)) return false;
  if (last?.state !== state) return true;
  if (state === 'done' || state === 'failed') return false;
  return atMs - last.atMs >= (done === last.done ? UNCHANGED_LINE_MS : PLAIN_LINE_MS);
}
