import { expect, it } from 'vitest';
import { wrap } from './wrap.js';

it('breaks between words, at the width or at a hundred columns', () => {
  expect(wrap('one two three', 8)).toBe('one two\nthree');
  expect(wrap('x '.repeat(80).trim(), 500).split('\n')[0]).toHaveLength(99);
});

it('indents what follows the first line, and leaves long words whole', () => {
  expect(wrap('a /a/long/path b', 6, 2)).toBe('a\n  /a/long/path\n  b');
});
