import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { reasonOf } from './backend-report.js';
import { startBackend } from './start-backend.js';

/** A convolution in a process of its own, which says on stdout what oneDNN executes. */
const CONVOLUTION = `
import { startBackend } from ${JSON.stringify(new URL('../dist/start-backend.js', import.meta.url).href)};
import * as tf from '@tensorflow/tfjs-core';
await startBackend({ preference: 'native' });
tf.conv2d(tf.ones([2, 8, 8, 4]), tf.ones([3, 3, 4, 8]), 1, 'same').dataSync();
`;

/** @param chosen what the environment says of oneDNN */
async function executedByOneDnn(chosen?: '0'): Promise<boolean> {
  const { TF_ENABLE_ONEDNN_OPTS: _own, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', CONVOLUTION],
    {
      env: {
        ...env,
        ONEDNN_VERBOSE: '1',
        ...(chosen === undefined ? {} : { TF_ENABLE_ONEDNN_OPTS: chosen }),
      },
      cwd: import.meta.dirname,
    },
  );
  return stdout.includes('convolution');
}

const problem = await startBackend({ preference: 'native', threads: 1 }).then(() => undefined, reasonOf);

describe.skipIf(problem !== undefined)(
  `native TensorFlow${problem === undefined ? '' : ` (${problem})`}`,
  () => {
    it('starts again with the same threads', async () => {
      const report = await startBackend({ preference: 'auto', threads: 1 });
      expect(report).toMatchObject({ backend: 'tensorflow', threads: 1 });
      expect(report.version).toMatch(/^2\.\d+\.\d+/);
    });

    it('refuses another thread count in the same process', async () => {
      await expect(startBackend({ preference: 'native', threads: 2 })).rejects.toMatchObject({
        code: 'COMPUTE.UNAVAILABLE',
        message: expect.stringContaining('already runs with 1 threads') as string,
      });
    });

    it.skipIf(process.arch !== 'x64')(
      'computes with oneDNN on every x86 processor, unless it is told not to',
      async () => {
        expect(await executedByOneDnn()).toBe(true);
        expect(await executedByOneDnn('0')).toBe(false);
      },
    );
  },
);
