import { describe, expect, it } from 'vitest';
import { cliConfig } from './cli-config.js';

describe("the caller's directory", () => {
  it('is where `npm run fidelis` was typed', () => {
    const config = cliConfig({ npm_lifecycle_event: 'fidelis', INIT_CWD: '/somewhere' });
    expect(config.callersDirectory).toBe('/somewhere');
  });

  it('is the own one for other scripts, and without npm', () => {
    expect(
      cliConfig({ npm_lifecycle_event: 'demo', INIT_CWD: '/somewhere' }).callersDirectory,
    ).toBeUndefined();
    expect(cliConfig({ INIT_CWD: '/somewhere' }).callersDirectory).toBeUndefined();
  });
});
