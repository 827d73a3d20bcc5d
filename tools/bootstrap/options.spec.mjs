import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.mjs';

describe('options of the set-up', () => {
  it('sets up everything by default', () => {
    expect(parseOptions([], {})).toEqual({ onlyWorkspace: false, gpu: false, retry: false, help: false });
  });

  it('tries again what fell back when it was called by name', () => {
    expect(parseOptions(['--gpu'], { npm_lifecycle_event: 'setup' })).toMatchObject({
      gpu: true,
      retry: true,
    });
  });

  it('names what it does not know', () => {
    expect(() => parseOptions(['--only', 'nats'], {})).toThrow(/--only nats/);
    expect(() => parseOptions(['--fast'], {})).toThrow(/--fast/);
    expect(() => parseOptions(['demo'], {})).toThrow(/demo/);
  });
});
