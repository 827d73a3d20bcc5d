import { describe, expect, it } from 'vitest';
import { blockMatrix, confusedPairs } from './disagreement.js';

describe('confusedPairs', () => {
  it('has the pairs of different classes, the most frequent first, with their share of the row', () => {
    const cells = [
      { teacher: 0, student: 0, count: 6 },
      { teacher: 0, student: 1, count: 2 },
      { teacher: 1, student: 0, count: 3 },
      { teacher: 1, student: 2, count: 0 },
    ];
    expect(confusedPairs(cells, [8, 12, 0])).toEqual([
      { teacher: 1, student: 0, count: 3, share: 0.25 },
      { teacher: 0, student: 1, count: 2, share: 0.25 },
    ]);
  });
});

describe('blockMatrix', () => {
  const pair = (teacher: number, student: number, count: number) => ({ teacher, student, count, share: 0 });

  it('has a cell for each pair where there are few classes', () => {
    expect(blockMatrix([pair(2, 0, 4), pair(0, 1, 1)], [2, 0, 8], 64)).toEqual({
      size: 3,
      classesPerBlock: 1,
      cells: [
        { row: 0, column: 1, count: 1, share: 0.5 },
        { row: 2, column: 0, count: 4, share: 0.5 },
      ],
    });
  });

  it('adds up neighbours where there are many, and keeps every disagreement', () => {
    const { size, classesPerBlock, cells } = blockMatrix(
      [pair(0, 1, 1), pair(1, 4, 2), pair(0, 4, 1), pair(4, 2, 5)],
      [3, 5, 0, 0, 10],
      3,
    );
    expect([size, classesPerBlock]).toEqual([3, 2]);
    expect(cells).toEqual([
      { row: 0, column: 0, count: 1, share: 1 / 8 },
      { row: 0, column: 2, count: 3, share: 3 / 8 },
      { row: 2, column: 1, count: 5, share: 0.5 },
    ]);
  });
});
