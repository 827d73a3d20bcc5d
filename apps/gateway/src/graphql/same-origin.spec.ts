import { describe, expect, it } from 'vitest';
import { isSameOrigin } from './same-origin.js';

describe('isSameOrigin', () => {
  it('lets programs through, which send no origin', () => {
    expect(isSameOrigin({ host: 'localhost:4000' })).toBe(true);
  });

  it('lets the own page through', () => {
    expect(isSameOrigin({ host: 'localhost:4000', origin: 'http://localhost:4000' })).toBe(true);
  });

  it.each(['http://evil.example', 'http://localhost:4001', 'null'])('refuses a page from %s', (origin) => {
    expect(isSameOrigin({ host: 'localhost:4000', origin })).toBe(false);
  });
});
