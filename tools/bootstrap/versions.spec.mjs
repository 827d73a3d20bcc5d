import { describe, expect, it } from 'vitest';
import { firstVersion, isAtLeast } from './versions.mjs';

describe('versions', () => {
  it.each([
    ['2.15.1', '2.10.0', true],
    ['2.9.10', '2.10.0', false],
    ['20.19.0', '20.19.0', true],
    ['18', '14.0', true],
    ['14', '14.0.1', false],
  ])('%s at least %s: %s', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected);
  });

  it('finds the version in what programs print', () => {
    expect(firstVersion('nats-server: v2.15.1')).toBe('2.15.1');
    expect(firstVersion('postgres (PostgreSQL) 18.4 (Debian 18.4-1)')).toBe('18.4');
    expect(firstVersion('no number')).toBeUndefined();
  });
});
