import { cacheDir } from '@fidelis/embedded';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheDirectory } from './cache-directory.mjs';

describe('cache directory', () => {
  it('is what the user says, else a place for all or one in the home', () => {
    expect(cacheDirectory({ FIDELIS_CACHE_DIR: '/somewhere' }, true)).toBe('/somewhere');
    expect(cacheDirectory({}, true)).toBe('/var/cache/fidelis');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/caches' }, false)).toBe('/caches/fidelis');
    expect(cacheDirectory({}, false)).toBe(join(homedir(), '.cache', 'fidelis'));
  });

  it.each([{}, { FIDELIS_CACHE_DIR: 'relative' }, { XDG_CACHE_HOME: '/caches' }])(
    'is where the services look, for %o',
    (env) => {
      expect(cacheDirectory(env)).toBe(cacheDir(env));
    },
  );
});
