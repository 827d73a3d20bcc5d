import { describe, expect, it } from 'vitest';
import { createProgressDisplay, type ProgressDisplay } from './progress-display.js';
import { RateMeter } from './rate-meter.js';
import { bar, NO_SPEED, stageLine, stageText, type StageView } from './stage-view.js';
import { createStyle, textWidth } from './style.js';

function recording(isTTY: boolean): { display: ProgressDisplay; written: string[]; at(ms: number): void } {
  const written: string[] = [];
  let nowMs = 0;
  const target = { isTTY, columns: 90, write: (text: string) => written.push(text) };
  const display = createProgressDisplay(target, createStyle(false), () => nowMs);
  return { display, written, at: (ms) => (nowMs = ms) };
}

function student(done: number, state: StageView['state'] = 'running'): StageView {
  return {
    label: 'student',
    state,
    done,
    total: 1_407,
    unit: 'steps',
    rateOf: { unit: 'images', each: 128 },
  };
}

describe('progress that no terminal shows', () => {
  it('is a line at the begin, one every two seconds at most, and one at the end', () => {
    const { display, written, at } = recording(false);
    for (let ms = 0; ms <= 5_000; ms += 100) {
      at(ms);
      display.show([student(ms / 10)]);
    }
    display.show([{ ...student(1_407, 'done'), seconds: 14 }]);
    expect(written).toEqual([
      'student: 0 % · 0/1,407 steps\n',
      'student: 14 % · 200/1,407 steps · 12,800 images/s · 12 s left\n',
      'student: 28 % · 400/1,407 steps · 12,800 images/s · 10 s left\n',
      'student: 1,407 steps · 14 s · 12,864 images/s\n',
    ]);
  });

  it('is a line every half minute for what does not move', () => {
    const { display, written, at } = recording(false);
    for (let ms = 0; ms <= 65_000; ms += 1_000) {
      at(ms);
      display.show([student(7)]);
    }
    expect(written).toHaveLength(3);
  });

  it('has no escape sequences', () => {
    const { display, written } = recording(false);
    display.show([student(1)]);
    display.note('a service was started again');
    display.end();
    expect(written.join('')).not.toContain('\u001B');
  });
});

describe('progress on a terminal', () => {
  it('is drawn in place: each frame goes up by the lines of the one before', () => {
    const { display, written, at } = recording(true);
    display.show([student(1), { ...student(0, 'waiting'), label: 'evaluation' }]);
    at(200);
    display.show([student(2)]);
    display.note('worker restarted');
    display.end();
    const frames = written.join('').split('\u001B[2A\r\u001B[J');
    expect(frames).toHaveLength(2);
    expect(frames[1]).toContain('worker restarted\n');
    expect(written.at(-1)).toContain('2/1,407 steps');
  });

  it('never fills more than the width, since a wrapped line would spoil the next frame', () => {
    const { display, written } = recording(true);
    display.show([{ ...student(700), note: 'x'.repeat(300) }]);
    for (const line of written.join('').split('\n')) expect(textWidth(line)).toBeLessThan(90);
  });
});

describe('bar', () => {
  it('fills in eighths and keeps its width', () => {
    expect(bar(0, 4)).toBe('    ');
    expect(bar(0.5, 4)).toBe('██  ');
    expect(bar(0.53125, 4)).toBe('██▏ ');
    expect(bar(2, 4)).toBe('████');
  });
});

describe('stageText', () => {
  it('has no time left where a handful of things is counted', () => {
    const parts: StageView = { label: 'set-up', state: 'running', done: 2, total: 7, unit: 'parts' };
    expect(stageText(parts, { rate: 1, secondsLeft: 5, stillSeconds: 0 })).toBe('29 % · 2/7 parts');
  });

  it('says so where the result was there already', () => {
    expect(stageText({ ...student(0, 'done'), reused: true }, NO_SPEED)).toBe('done before: used again');
  });
});

describe('stageLine', () => {
  const busy = { ...student(700), note: 'epoch 2/3 · loss 0.012' };
  const speed = { rate: 27, secondsLeft: 26, stillSeconds: 0 };

  it.each([
    [120, '50 % · 700/1,407 steps · 3,456 images/s · 26 s left · epoch 2/3 · loss 0.012'],
    [80, '50 % · 700/1,407 steps · 3,456 images/s · 26 s left'],
    [60, '50 % · 3,456 images/s · 26 s left'],
    [50, '50 % · 26 s left'],
  ])('leaves out what matters least on %d columns', (columns, text) => {
    const line = stageLine(busy, speed, createStyle(false), columns);
    expect(line.slice(line.indexOf('▏ ') + 2)).toBe(text);
    expect(textWidth(line)).toBeLessThan(columns);
  });
});

describe('a stage that stands still', () => {
  const waiting: StageView = { ...student(0), waitsFor: "the teacher's logits" };

  it('says what it waits for, on a terminal and in a log', () => {
    const { display, written, at } = recording(false);
    display.show([waiting]);
    at(31_000);
    display.show([waiting]);
    expect(written.at(-1)).toBe(
      "student: 0 % · 0/1,407 steps · no progress for 31 s: waits for the teacher's logits\n",
    );
  });

  it('says so before it begins, if only a worker is missing', () => {
    const { display, written, at } = recording(false);
    const queued: StageView = { ...student(0, 'waiting'), waitsFor: 'a free worker' };
    display.show([queued]);
    expect(written).toEqual([]);
    at(31_000);
    display.show([queued]);
    expect(written).toEqual(['student: no progress for 31 s: waits for a free worker\n']);
  });

  it('does not count the time in which another stage came first', () => {
    const { display, written, at } = recording(false);
    display.show([student(0, 'waiting')]);
    at(60_000);
    display.show([waiting]);
    expect(written).toEqual(['student: 0 % · 0/1,407 steps\n']);
  });

  it('has no speed and no time left after all is counted', () => {
    const { display, written, at } = recording(false);
    for (let ms = 0; ms <= 1_400; ms += 100) {
      at(ms);
      display.show([student(ms)]);
    }
    at(3_500);
    display.show([{ ...student(1_407), note: 'predicting' }]);
    expect(written.at(-1)).toBe('student: 100 % · 1,407/1,407 steps · predicting\n');
  });
});

describe('RateMeter', () => {
  it('takes no wait for slowness: the speed counts from the first move', () => {
    const meter = new RateMeter();
    for (let ms = 0; ms < 20_000; ms += 100) meter.observe(0, ms);
    meter.observe(50, 20_000);
    expect(meter.secondsLeft(450)).toBe(undefined);
    meter.observe(100, 21_000);
    expect(meter.rate()).toBe(50);
    expect(meter.secondsLeft(450)).toBe(undefined);
    meter.observe(150, 22_000);
    expect(meter.secondsLeft(450)).toBe(6);
  });

  it('forgets its speed in a standstill', () => {
    const meter = new RateMeter();
    for (let ms = 0; ms <= 4_000; ms += 500) meter.observe(ms / 10, ms);
    meter.observe(400, 13_000);
    expect(meter.rate()).toBe(undefined);
  });

  it('follows the last seconds and starts over with a new attempt', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 30; second++)
      meter.observe(second < 15 ? second : 15 + (second - 15) * 10, second * 1_000);
    expect(meter.rate()).toBe(10);
    expect(meter.secondsLeft(265)).toBe(10);
    meter.observe(0, 31_000);
    expect(meter.rate()).toBe(undefined);
  });
});
