import { ERROR_CODES, FidelisError, type ErrorCode } from '@fidelis/contracts';
import { expect, it } from 'vitest';
import { exitStatusOf, InterruptedError } from './exit-status.js';

it.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s ends with 2 if it is bad input, else with 1', (code) => {
  expect(exitStatusOf(new FidelisError(code, 'x'))).toBe(ERROR_CODES[code].kind === 'bad-input' ? 2 : 1);
});

it('an interruption ends with 130, anything unforeseen with 1', () => {
  expect(exitStatusOf(new InterruptedError('SIGINT'))).toBe(130);
  expect(exitStatusOf(new TypeError('x'))).toBe(1);
});
