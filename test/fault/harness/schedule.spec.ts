import { expect, it } from 'vitest';
import { Schedule } from './schedule.js';

it('strikes at the same steps for the same seed and name, and at others for another', () => {
  const steps = new Schedule('kills', 1).steps(20, 1_000);
  expect(new Schedule('kills', 1).steps(20, 1_000)).toEqual(steps);
  expect(new Schedule('kills', 2).steps(20, 1_000)).not.toEqual(steps);
  expect(new Schedule('stops', 1).steps(20, 1_000)).not.toEqual(steps);
});

it('strikes in ascending order, within its window, whomever there is', () => {
  const schedule = new Schedule('kills', 1);
  const steps = schedule.steps(200, 1_000, { from: 0.1, to: 0.9 });
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(steps.every((step) => step >= 100 && step < 900)).toBe(true);
  expect(new Set(schedule.choices(200, ['a', 'b', 'c']))).toEqual(new Set(['a', 'b', 'c']));
});
