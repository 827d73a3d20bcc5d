#!/usr/bin/env node
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from './bootstrap/cache-directory.mjs';
import { removePartials } from './bootstrap/files.mjs';
import { Journal } from './bootstrap/journal.mjs';
import { setUpNatsServer } from './bootstrap/nats-server.mjs';
import { HELP, parseOptions } from './bootstrap/options.mjs';
import { setUpPostgres } from './bootstrap/postgresql.mjs';
import { withLock } from './bootstrap/process-lock.mjs';
import { readReport, writeReport } from './bootstrap/setup-report.mjs';
import { setUpTensorFlow } from './bootstrap/tensorflow.mjs';
import { build, checkNode, installDependencies } from './bootstrap/workspace.mjs';

const BAD_INPUT = 2;

/**
 * @param {string} root
 * @param {import('./bootstrap/options.mjs').Options} options
 * @param {Journal} journal
 */
async function setUp(root, options, journal) {
  checkNode();
  const waiting = (what) => (pid) => journal.note(`waiting: process ${pid} sets up ${what}`);
  await withLock(
    join(root, '.fidelis', 'setup.lock'),
    () => setUpClone(root, options, journal, waiting),
    waiting('this clone'),
  );
}

async function setUpClone(root, options, journal, waiting) {
  await installDependencies(root, journal);
  await build(root, journal);
  if (options.onlyWorkspace) {
    journal.finish('dependencies and build');
    return;
  }
  const cache = cacheDirectory(process.env);
  await mkdir(cache, { recursive: true }).catch((error) => {
    throw new Error(
      `cannot write to the cache ${cache} (${error.code}): choose another directory with FIDELIS_CACHE_DIR`,
      { cause: error },
    );
  });
  const previous = await readReport(root);
  const parts = await withLock(
    join(cache, 'setup.lock'),
    async () => {
      for (const directory of [cache, join(cache, 'downloads')]) await removePartials(directory);
      return {
        natsServer: await setUpNatsServer(cache, journal),
        postgresql: await setUpPostgres(root, cache, journal),
        tensorflow: await setUpTensorFlow({
          root,
          cache,
          journal,
          gpu: options.gpu,
          retry: options.retry,
          previous: previous.tensorflow,
        }),
      };
    },
    waiting(`the cache ${cache}`),
  );
  await writeReport(root, cache, parts);
  const missing = Object.entries(parts).filter(([, part]) => !part.ok);
  if (missing.length > 0) {
    throw new Error(
      missing.map(([name, { advice }]) => `${name} is missing. ${advice ?? ''}`.trim()).join('\n'),
    );
  }
  journal.finish(summary(parts));
}

function summary({ natsServer, postgresql, tensorflow }) {
  const compute =
    tensorflow.backend === 'wasm'
      ? `WebAssembly backend ${tensorflow.version}`
      : `TensorFlow ${tensorflow.version}`;
  return `Node ${process.versions.node}, nats-server ${natsServer.version}, PostgreSQL ${postgresql.version}, ${compute}`;
}

async function main() {
  const journal = new Journal();
  let options;
  try {
    options = parseOptions(process.argv.slice(2), process.env);
  } catch (error) {
    journal.warn(error.message);
    journal.say(HELP);
    process.exitCode = BAD_INPUT;
    return;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  try {
    await setUp(dirname(dirname(fileURLToPath(import.meta.url))), options, journal);
  } catch (error) {
    journal.warn(error.message);
    process.exitCode = 1;
  }
}

await main();
