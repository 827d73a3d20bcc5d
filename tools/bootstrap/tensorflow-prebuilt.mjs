import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.mjs';

const DEADLINE_MS = 900_000;
/** It downloads without a time limit of its own. */
const STALL_MS = 60_000;

/**
 * Runs the package's own install script, which downloads a library and an addon.
 * @param {string} packageRoot
 */
export async function installPrebuilt(packageRoot) {
  await removeAddon(packageRoot);
  const bins = [
    join(packageRoot, 'node_modules', '.bin'),
    join(packageRoot, '..', '..', '.bin'),
    process.env.PATH,
  ];
  const { ok, reason } = await runCommand(process.execPath, [join('scripts', 'install.js')], {
    cwd: packageRoot,
    env: { PATH: bins.join(':') },
    watch: packageRoot,
    stallMs: STALL_MS,
    timeoutMs: DEADLINE_MS,
  });
  if (ok) return;
  await removeAddon(packageRoot);
  throw new Error(`its install script failed: ${reason}`);
}

/** Links are removed, not what they lead to: that is the cache's. */
async function removeAddon(packageRoot) {
  for (const name of [join('deps', 'lib'), join('deps', 'include'), 'deps', join('lib', 'napi-v8')]) {
    const path = join(packageRoot, name);
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined) await rm(path, { recursive: !there.isSymbolicLink(), force: true });
  }
}
