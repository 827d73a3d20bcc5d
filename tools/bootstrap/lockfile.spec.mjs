import { describe, expect, it } from 'vitest';
import { isInstalled } from './lockfile.mjs';

const machine = { platform: 'linux', arch: 'x64' };
const wanted = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/mac-only': { version: '1.0.0', optional: true, os: ['darwin'] },
    'node_modules/mac-only/node_modules/inner': { version: '1.0.0', optional: true },
    'node_modules/native': { version: '1.0.0', optional: true },
    'node_modules/musl': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  },
};
const a = { version: '1.0.0' };

describe('what npm has installed', () => {
  it('is enough with all that this machine can use', () => {
    expect(
      isInstalled(wanted, { packages: { 'node_modules/a': a, 'node_modules/native': a } }, machine),
    ).toBe(true);
  });

  it('is not enough with a package missing, older, or an optional one that npm dropped', () => {
    expect(isInstalled(wanted, { packages: { 'node_modules/native': a } }, machine)).toBe(false);
    expect(
      isInstalled(
        wanted,
        { packages: { 'node_modules/a': { version: '0.9.0' }, 'node_modules/native': a } },
        machine,
      ),
    ).toBe(false);
    expect(isInstalled(wanted, { packages: { 'node_modules/a': a } }, machine)).toBe(false);
    expect(isInstalled(wanted, undefined, machine)).toBe(false);
  });

  it('must hold what only another machine may leave out', () => {
    const installed = { packages: { 'node_modules/a': a, 'node_modules/native': a } };
    expect(isInstalled(wanted, installed, { platform: 'darwin', arch: 'arm64' })).toBe(false);
  });
});
