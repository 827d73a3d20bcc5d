import { duration, percent, whole } from './figures.js';
import { padEnd, type Style } from './style.js';

/** One stage of the work as people see it. */
export interface StageView {
  /** Also its identity. */
  readonly label: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly done: number;
  /** 0: not known yet. */
  readonly total: number;
  /** What `done` counts, in the plural. */
  readonly unit: string;
  /** Once it has ended. */
  readonly seconds?: number | null;
  /** Nothing had to be done: the result was there. */
  readonly reused?: boolean;
  /** Anything else worth saying now: the epoch, the loss. */
  readonly note?: string;
  /** Of a stage that failed, if another word fits better. */
  readonly endedAs?: string;
  /** Who or what has to act for this stage to move; told once it has stood still for a while. */
  readonly waitsFor?: string;
  /** What the rate is given in, if not in `unit`: how many of them one `unit` is. */
  readonly rateOf?: { readonly unit: string; readonly each: number };
}

export interface StageSpeed {
  /** In `unit` per second. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
  /** For how long it has not moved. */
  readonly stillSeconds: number;
}

/** Of a stage that is not measured. */
export const NO_SPEED: StageSpeed = { rate: undefined, secondsLeft: undefined, stillSeconds: 0 };

const LABEL_WIDTH = 10;
/** Mark, label, the bar's two ends and the spaces between them, and one column that stays free. */
const FRAME_WIDTH = LABEL_WIDTH + 7;
const BAR_WIDTH = { least: 10, most: 24 } as const;
/** Room for all that a training stage says, where the terminal has it. */
const FULL_TEXT_WIDTH = 75;
/** Stages of fewer things (services, sets) have no speed worth a number. */
const COUNTED_ONE_BY_ONE = 20;
/** Stages of a training pause for this long without anything being wrong. */
const STILL_SECONDS = 10;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** "█████▌      ": `fraction` of `width` columns, to an eighth of a column. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  const filled = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return padEnd(filled, width);
}

/** A stage as one line of a terminal; `width` is the terminal's. */
export function stageLine(stage: StageView, speed: StageSpeed, style: Style, width: number): string {
  const mark = {
    waiting: style.dim('·'),
    running: style.cyan('›'),
    done: style.green('✓'),
    failed: style.red('✗'),
  }[stage.state];
  const head = `${mark} ${padEnd(stage.label, LABEL_WIDTH)} `;
  if (stage.state === 'waiting') {
    return `${head}${style.dim(fitting(waitingParts(stage, speed), width - LABEL_WIDTH - 4))}`.trimEnd();
  }
  const barWidth = Math.min(BAR_WIDTH.most, Math.max(BAR_WIDTH.least, width - FRAME_WIDTH - FULL_TEXT_WIDTH));
  const fraction = stage.state === 'done' ? 1 : stage.total === 0 ? 0 : stage.done / stage.total;
  const text = fitting(stageParts(stage, speed), Math.max(10, width - FRAME_WIDTH - barWidth));
  return `${head}${style.dim('▕')}${style.cyan(bar(fraction, barWidth))}${style.dim('▏')} ${text}`;
}

/** A stage in words: "75 % · 3/4 steps · 120 images/s · 12 s left". */
export function stageText(stage: StageView, speed: StageSpeed): string {
  return joined(stageParts(stage, speed)) || 'waiting';
}

/** One thing that is said of a stage. Where there is not enough room, the greatest rank goes first. */
interface Part {
  readonly text: string;
  readonly rank: number;
}

function stageParts(stage: StageView, speed: StageSpeed): Part[] {
  switch (stage.state) {
    case 'waiting':
      return waitingParts(stage, speed);
    case 'done':
      return doneParts(stage);
    case 'failed':
      return [...countParts(stage), { text: stage.endedAs ?? 'failed', rank: 0 }, ...noteParts(stage)];
    case 'running':
      return runningParts(stage, speed);
  }
}

function waitingParts(stage: StageView, speed: StageSpeed): Part[] {
  return [...noteParts(stage), ...stillParts(stage, speed)];
}

function runningParts(stage: StageView, speed: StageSpeed): Part[] {
  return [
    ...countParts(stage),
    ...speedParts(stage, speed),
    ...noteParts(stage),
    ...stillParts(stage, speed),
  ];
}

function speedParts(stage: StageView, { rate, secondsLeft }: StageSpeed): Part[] {
  const { done, total } = stage;
  if (total < COUNTED_ONE_BY_ONE || done >= total) return [];
  return [
    ...(rate === undefined ? [] : [{ text: speedText(stage, rate), rank: 2 }]),
    ...(secondsLeft === undefined ? [] : [{ text: `${duration(secondsLeft)} left`, rank: 1 }]),
  ];
}

function countParts({ done, total, unit }: StageView): Part[] {
  if (total === 0) return [{ text: 'starting', rank: 0 }];
  return [
    { text: percent(done / total, 0), rank: 0 },
    { text: `${whole(done)}/${whole(total)} ${unit}`, rank: 3 },
  ];
}

function noteParts({ note = '' }: StageView): Part[] {
  return [{ text: note, rank: 4 }];
}

/** Whether a stage that could move has not for so long that it should be told. */
export function standsStill({ waitsFor }: StageView, { stillSeconds }: StageSpeed): boolean {
  return waitsFor !== undefined && stillSeconds >= STILL_SECONDS;
}

function stillParts(stage: StageView, speed: StageSpeed): Part[] {
  if (!standsStill(stage, speed)) return [];
  const { waitsFor = '' } = stage;
  const { stillSeconds } = speed;
  return [{ text: `no progress for ${duration(stillSeconds)}: waits for ${waitsFor}`, rank: 1 }];
}

function doneParts(stage: StageView): Part[] {
  const { reused, total, unit, seconds } = stage;
  if (reused === true) return [{ text: 'done before: used again', rank: 0 }];
  const parts = [{ text: total === 0 ? 'done' : `${whole(total)} ${unit}`, rank: 0 }];
  if (seconds === undefined || seconds === null) return parts;
  const speed = total > 0 && seconds > 0 ? speedText(stage, total / seconds) : '';
  return [...parts, { text: duration(seconds), rank: 1 }, { text: speed, rank: 2 }];
}

function joined(parts: readonly Part[]): string {
  return parts
    .map(({ text }) => text)
    .filter((text) => text !== '')
    .join(' · ');
}

function fitting(parts: readonly Part[], width: number): string {
  const text = joined(parts);
  const greatest = Math.max(0, ...parts.map(({ rank }) => rank));
  if ([...text].length <= width || greatest === 0) return clip(text, width);
  return fitting(
    parts.filter(({ rank }) => rank < greatest),
    width,
  );
}

function speedText({ unit, total, rateOf }: StageView, rate: number): string {
  if (rateOf !== undefined) return `${whole(rate * rateOf.each)} ${rateOf.unit}/s`;
  return total < COUNTED_ONE_BY_ONE ? '' : `${whole(rate)} ${unit}/s`;
}

function clip(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
