import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fingerprint } from './fingerprint.js';
import { loadNativeBackend } from './native-backend.js';
import { startBackend } from './start-backend.js';

vi.mock('./native-backend.js', { spy: true });
const native = vi.mocked(loadNativeBackend);

afterEach(() => {
  native.mockReset();
  vi.unstubAllEnvs();
});

describe('startBackend', () => {
  it('starts wasm on one thread, whatever is asked for', async () => {
    const report = await startBackend({ preference: 'wasm', threads: 4 });
    expect(report).toEqual({
      backend: 'wasm',
      version: '4.22.0',
      threads: 1,
      device: { kind: 'cpu', name: expect.stringMatching(/./) as string },
      attempts: [{ what: 'wasm', ok: true }],
    });
    expect(tf.getBackend()).toBe('wasm');
    expect(fingerprint(report)).toMatchObject({ backend: 'wasm', backendVersion: '4.22.0', threads: 1 });
  });

  it('tells results of TensorFlow without oneDNN from those with it', () => {
    const device = { kind: 'cpu', name: 'a processor' } as const;
    const report = { backend: 'tensorflow', version: '2.21.0', threads: 1, device, attempts: [] } as const;
    const platform = `${process.platform}-${process.arch}, a processor`;
    vi.stubEnv('TF_ENABLE_ONEDNN_OPTS', '1');
    expect(fingerprint(report).platform).toBe(platform);
    vi.stubEnv('TF_ENABLE_ONEDNN_OPTS', '0');
    expect(fingerprint(report).platform).toBe(`${platform}, without oneDNN`);
  });

  it('leaves the handling of errors to the process', async () => {
    await startBackend({ preference: 'wasm' });
    const listeners = process.rawListeners('unhandledRejection').map(String);
    expect(listeners.filter((listener) => listener.includes('throw reason'))).toEqual([]);
  });

  it('falls back to wasm and says why', async () => {
    native.mockRejectedValue(new Error('the addon is missing\nand much advice'));
    const report = await startBackend({ preference: 'auto' });
    expect(report.backend).toBe('wasm');
    expect(report.attempts).toEqual([
      { what: 'native TensorFlow', ok: false, reason: 'the addon is missing' },
      { what: 'wasm', ok: true },
    ]);
  });

  it('does not fall back where native was asked for', async () => {
    native.mockRejectedValue(new Error('the addon is missing'));
    await expect(startBackend({ preference: 'native' })).rejects.toMatchObject({
      code: 'COMPUTE.UNAVAILABLE',
      message: expect.stringContaining('the addon is missing') as string,
      details: { attempts: [{ what: 'native TensorFlow', ok: false, reason: 'the addon is missing' }] },
    });
  });
});
