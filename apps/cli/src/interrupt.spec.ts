import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { InterruptedError } from './exit-status.js';
import { Interrupt } from './interrupt.js';

function pressing(): { interrupt: Interrupt; source: EventEmitter; pressAt(ms: number): void } {
  const source = new EventEmitter();
  let nowMs = 0;
  const interrupt = new Interrupt(source, () => nowMs);
  return {
    interrupt,
    source,
    pressAt: (ms) => {
      nowMs = ms;
      source.emit('SIGINT', 'SIGINT');
    },
  };
}

it('the first Ctrl-C asks for an orderly end', () => {
  const { interrupt, pressAt } = pressing();
  expect(interrupt.signal.aborted).toBe(false);
  pressAt(0);
  expect(interrupt.signal.reason).toBeInstanceOf(InterruptedError);
  expect(interrupt.hurry.aborted).toBe(false);
});

it('the same keystroke that arrives twice is one', () => {
  const { interrupt, pressAt } = pressing();
  pressAt(0);
  pressAt(50);
  expect(interrupt.hurry.aborted).toBe(false);
});

it('a second one hurries', () => {
  const { interrupt, pressAt } = pressing();
  pressAt(0);
  pressAt(1_000);
  expect(interrupt.hurry.aborted).toBe(true);
});

it('nothing is caught after the end', () => {
  const { interrupt, source } = pressing();
  interrupt.stopListening();
  expect(source.eventNames()).toEqual([]);
});
