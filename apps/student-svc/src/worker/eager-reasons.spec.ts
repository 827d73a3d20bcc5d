import { expect, it } from 'vitest';
import { EagerReasons } from './eager-reasons.js';

it('a training ran as graphs if nothing of it could not', () => {
  expect(new EagerReasons().execution()).toEqual({ mode: 'graph', reason: null });
});

it('a training ran eagerly if anything of it did, and says what and why', () => {
  const reasons = new EagerReasons();
  reasons.add('training step of lenet5', 'the wasm backend has no graphs');
  reasons.add('predictions of lenet5', 'the wasm backend has no graphs');
  reasons.add('statistics', 'a value was read');
  expect(reasons.execution()).toEqual({
    mode: 'eager',
    reason:
      'training step of lenet5, predictions of lenet5: the wasm backend has no graphs; statistics: a value was read',
  });
});
