import { describe, expect, it } from 'vitest';
import { needOf, smallestNeed, type PositionOf } from './run-needs.js';
import { paceLimit } from './stream-pace.js';

const positions: Record<string, { trainedStep: number; checkpointStep: number }> = {
  fast: { trainedStep: 500, checkpointStep: 400 },
  slow: { trainedStep: 20, checkpointStep: 10 },
  done: { trainedStep: 999, checkpointStep: 999 },
};
const positionOf: PositionOf = (runId) => positions[runId];
const readers = (...ids: string[]): { runId: string; steps: number }[] =>
  ids.map((runId) => ({ runId, steps: 1_000 }));
const sequence = { kind: 'sequence', steps: 1_000 } as const;

describe('how far a stream may be produced', () => {
  it.each([
    ['a lead ahead of the fastest run', ['slow', 'fast'], 601],
    ['a lead ahead of the first step while no run has reported', ['new'], 100],
    ['not slower for a run that is late', ['fast', 'new'], 601],
    ['no further than was asked for', ['done'], 1_000],
    ['not at all where nobody reads', [], 0],
  ])('is %s', (_, ids, limit) => {
    expect(paceLimit(sequence, readers(...ids), positionOf, 100)).toBe(limit);
  });

  it('is the whole of a table', () => {
    expect(paceLimit({ kind: 'table', steps: 59 }, readers('new'), positionOf, 1)).toBe(59);
  });
});

describe('what a run needs', () => {
  it('begins after its checkpoint, since a killed student goes on there', () => {
    expect(readers('fast', 'slow', 'new').map((run) => needOf(run, 'sequence', positionOf))).toEqual([
      401, 11, 0,
    ]);
    expect(smallestNeed(readers('fast', 'slow'), 'sequence', positionOf)).toBe(11);
  });

  it('is nothing once its last step is in a checkpoint', () => {
    expect(needOf({ runId: 'done', steps: 1_000 }, 'sequence', positionOf)).toBeUndefined();
    expect(smallestNeed(readers('done'), 'sequence', positionOf)).toBeUndefined();
  });

  it('is the whole of a table, however far it is', () => {
    expect(needOf({ runId: 'done', steps: 59 }, 'table', positionOf)).toBe(0);
  });
});
