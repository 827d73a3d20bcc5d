import { describe, expect, it } from 'vitest';
import { reasonOf } from './backend-report.js';
import { startBackend } from './start-backend.js';

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
  },
);
