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
  /** What the rate is given in, if not in `unit`: how many of them one `unit` is. */
  readonly rateOf?: { readonly unit: string; readonly each: number };
}

export interface StageSpeed {
  /** In `unit` per second. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
}

const LABEL_WIDTH = 11;
const BAR_WIDTH = 24;
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
  if (stage.state === 'waiting') return head.trimEnd();
  const fraction = stage.state === 'done' ? 1 : stage.total === 0 ? 0 : stage.done / stage.total;
  const text = clip(stageText(stage, speed), Math.max(10, width - LABEL_WIDTH - BAR_WIDTH - 7));
  return `${head}${style.dim('▕')}${style.cyan(bar(fraction, BAR_WIDTH))}${style.dim('▏')} ${text}`;
}

/** A stage in words: "75 % · 3/4 steps · 120 images/s · 12 s left". */
export function stageText(stage: StageView, speed: StageSpeed): string {
  if (stage.state === 'waiting') return 'waiting';
  if (stage.state === 'done') return doneText(stage);
  const { done, total, unit, note } = stage;
  const parts =
    total > 0 ? [percent(done / total, 0), `${whole(done)}/${whole(total)} ${unit}`] : ['starting'];
  if (stage.state === 'failed') parts.push('failed');
  else parts.push(...runningParts(stage, speed));
  return joined([...parts, note ?? '']);
}

function runningParts(stage: StageView, { rate, secondsLeft }: StageSpeed): string[] {
  return [
    rate === undefined ? '' : speedText(stage, rate),
    secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`,
  ];
}

function doneText(stage: StageView): string {
  const { reused, total, unit, seconds } = stage;
  if (reused === true) return 'done before: used again';
  const parts = [total === 0 ? 'done' : `${whole(total)} ${unit}`];
  if (seconds !== undefined && seconds !== null) {
    parts.push(duration(seconds), total > 0 && seconds > 0 ? speedText(stage, total / seconds) : '');
  }
  return joined(parts);
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}

/** Stages of a handful of things (services, sets) have no speed worth a number. */
function speedText({ unit, total, rateOf }: StageView, rate: number): string {
  if (rateOf !== undefined) return `${whole(rate * rateOf.each)} ${rateOf.unit}/s`;
  return total < 20 ? '' : `${whole(rate)} ${unit}/s`;
}

function clip(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
