import { expect, it } from 'vitest';
import { fidelisServices } from './fidelis-services.js';

function placements(gpu: boolean): Record<string, string | undefined> {
  const placed = fidelisServices({ gpu }).filter(({ env }) => 'FIDELIS_PLACEMENT' in env);
  return Object.fromEntries(placed.map(({ name, env }) => [name, env['FIDELIS_PLACEMENT']]));
}

it('computes on the CPU alone unless it is told otherwise', () => {
  expect(placements(false)).toEqual({ 'student-worker': 'cpu', teacher: 'cpu' });
});

it('has a worker for either kind of run and its teachers on the GPU, if there is one to use', () => {
  expect(placements(true)).toEqual({ 'student-worker': 'cpu', 'student-worker-gpu': 'gpu', teacher: 'gpu' });
});
