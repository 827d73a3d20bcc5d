import type { StoredSteps } from '@fidelis/bus';
import { describe, expect, it } from 'vitest';
import { remedyOf } from './lost-steps.js';

const stored = (firstStep: number, endStep: number, hasGap = false): StoredSteps => ({
  firstStep,
  endStep,
  hasGap,
  bytes: 100 * (endStep - firstStep),
});

describe('steps that a run needs', () => {
  it.each([
    ['are there', stored(0, 50), { publishedSteps: 50, need: 20 }, undefined],
    ['are yet to come', stored(0, 50), { publishedSteps: 50, need: 50 }, undefined],
    ['are there though others were removed', stored(20, 50), { publishedSteps: 50, need: 20 }, undefined],
    ['are in a log that grew since', stored(0, 60), { publishedSteps: 50, need: 20 }, undefined],
    ['were removed', stored(21, 50), { publishedSteps: 50, need: 20 }, { kind: 'renew', fromStep: 20 }],
    ['have a hole', stored(0, 50, true), { publishedSteps: 50, need: 20 }, { kind: 'renew', fromStep: 20 }],
    ['are lost with the log', undefined, { publishedSteps: 50, need: 20 }, { kind: 'renew', fromStep: 20 }],
    [
      'are lost, and the log is a new one',
      stored(0, 0),
      { publishedSteps: 50, need: 20 },
      { kind: 'renew', fromStep: 20 },
    ],
    [
      'are missing at the end alone',
      stored(0, 30),
      { publishedSteps: 50, need: 20 },
      { kind: 'extend', fromStep: 30 },
    ],
    // A run that begins far into a log that is being renewed for another one: it waits.
    ['come before long', stored(0, 10), { publishedSteps: 10, need: 20 }, undefined],
  ] as const)('%s', (_, log, expected, remedy) => {
    expect(remedyOf(log, { steps: 100, ...expected })).toEqual(remedy);
  });
});
