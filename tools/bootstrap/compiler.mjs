import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createWhole, exists } from './files.mjs';
import { runCommand } from './run-command.mjs';
import { downloadWheel, unpackWheel } from './wheels.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/**
 * @typedef {object} Compiler
 * @property {string} name for people
 * @property {string} command
 * @property {readonly string[]} args before all others
 * @property {Readonly<Record<string, string>>} env
 */

const ZIG_VERSION = '0.13.0.post1';
/** The oldest glibc that TensorFlow's wheel runs on: what is compiled here then runs there too. */
const GLIBC = '2.27';
const PROGRAM_MODE = 0o755;

/**
 * The system's C++ compiler.
 * @returns {Promise<Compiler | undefined>}
 */
export async function findSystemCompiler() {
  for (const command of ['c++', 'g++', 'clang++']) {
    const { ok } = await runCommand(command, ['--version'], { timeoutMs: 10_000 });
    if (ok) return { name: command, command, args: [], env: {} };
  }
  return undefined;
}

/**
 * A C++ compiler: the system's, else the one that comes as a Python wheel and needs no installation.
 * @param {{ cache: string, journal: Journal }} context
 * @returns {Promise<Compiler>}
 * @throws {Error} naming what to install
 */
export async function provideCompiler({ cache, journal }) {
  const system = await findSystemCompiler();
  if (system !== undefined) return system;
  try {
    return await provideZig({ cache, journal });
  } catch (error) {
    throw new Error(
      `no C++ compiler was found (tried c++, g++, clang++; on Debian: apt-get install g++), nor could one be fetched: ${error.message}`,
      { cause: error },
    );
  }
}

async function provideZig({ cache, journal }) {
  const architecture = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
  if (process.platform !== 'linux' || architecture === undefined)
    throw new Error('there is none for this machine');
  const directory = join(cache, `ziglang-${ZIG_VERSION}`);
  const zig = join(directory, 'ziglang', 'zig');
  if (!(await exists(zig))) {
    await journal.step('C++ compiler: none here, so the wheel ziglang (81 MB)', async () => {
      const wheel = await downloadWheel({
        requirement: `ziglang==${ZIG_VERSION}`,
        directory: join(cache, 'downloads'),
      });
      await createWhole(directory, (partial) =>
        unpackWheel(wheel, (name) => (name.startsWith('ziglang/') ? join(partial, name) : undefined), {
          mode: PROGRAM_MODE,
        }),
      );
      await rm(wheel, { force: true });
    });
  }
  const work = join(directory, 'cache');
  return {
    name: 'ziglang, which takes a few minutes',
    command: zig,
    args: ['c++', '-target', `${architecture}-linux-gnu.${GLIBC}`],
    env: { ZIG_GLOBAL_CACHE_DIR: work, ZIG_LOCAL_CACHE_DIR: work },
  };
}
