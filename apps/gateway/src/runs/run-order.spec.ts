import { describe, expect, it } from 'vitest';
import { runRecord } from '../../fixtures/records.js';
import { isEarlier } from './run-order.js';

const atStep = (step: number): { progress: ReturnType<typeof runRecord>['progress'] } => ({
  progress: { ...runRecord().progress, step },
});

describe('isEarlier', () => {
  it.each([
    ['an earlier step', runRecord(atStep(1)), runRecord(atStep(2)), true],
    ['the same moment', runRecord(), runRecord(), false],
    ['a later step', runRecord(atStep(3)), runRecord(atStep(2)), false],
    ['an earlier state', runRecord({ state: 'queued' }), runRecord({ state: 'training' }), true],
    ['a later state', runRecord({ state: 'evaluating' }), runRecord({ state: 'training' }), false],
    ['a new attempt from the start', runRecord({ ...atStep(0), attempts: 2 }), runRecord(atStep(9)), false],
    ['a late word of the last attempt', runRecord(atStep(9)), runRecord({ ...atStep(0), attempts: 2 }), true],
  ])('%s', (_, candidate, current, expected) => {
    expect(isEarlier(candidate, current)).toBe(expected);
  });
});
