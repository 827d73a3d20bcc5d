import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { companionFolders, computeEnvironment } from './compute-environment.js';

describe('the environment of a compute process', () => {
  it.each([{}, { FIDELIS_PLACEMENT: 'cpu', CUDA_VISIBLE_DEVICES: '0' }])(
    'shows no GPU to what is placed on the CPU: %j',
    (env) => {
      expect(computeEnvironment(env, ['/cuda/lib'])).toEqual({ CUDA_VISIBLE_DEVICES: '-1' });
    },
  );

  it('has what a GPU needs, for what is placed there', () => {
    expect(
      computeEnvironment({ FIDELIS_PLACEMENT: 'gpu', LD_LIBRARY_PATH: '/own' }, ['/a/lib', '/b/lib']),
    ).toEqual({
      LD_LIBRARY_PATH: '/a/lib:/b/lib:/own',
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
      TF_DETERMINISTIC_OPS: '1',
      NVIDIA_TF32_OVERRIDE: '0',
    });
  });

  it('leaves what was chosen', () => {
    const env = { FIDELIS_PLACEMENT: 'gpu', NVIDIA_TF32_OVERRIDE: '1', TF_FORCE_GPU_ALLOW_GROWTH: 'false' };
    expect(computeEnvironment(env, [])).toEqual({
      TF_FORCE_GPU_ALLOW_GROWTH: 'false',
      TF_DETERMINISTIC_OPS: '1',
      NVIDIA_TF32_OVERRIDE: '1',
    });
  });
});

describe('the folders of CUDA’s libraries', () => {
  let directory: string;
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'fidelis-cuda-')));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('are those beside the library that the addon is linked to', () => {
    for (const folder of ['lib', 'nvidia/cudnn/lib', 'nvidia/cublas/lib', 'nvidia/headers/include']) {
      mkdirSync(join(directory, folder), { recursive: true });
    }
    symlinkSync(join(directory, 'lib'), join(directory, 'link'));
    expect(companionFolders(join(directory, 'link'))).toEqual([
      join(directory, 'nvidia/cublas/lib'),
      join(directory, 'nvidia/cudnn/lib'),
    ]);
  });

  it('are none for the CPU’s library, nor where there is no library', () => {
    mkdirSync(join(directory, 'lib'));
    expect(companionFolders(join(directory, 'lib'))).toEqual([]);
    expect(companionFolders(join(directory, 'absent'))).toEqual([]);
  });
});
