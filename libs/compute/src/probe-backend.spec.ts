import { describe, expect, it } from 'vitest';
import { probeBackend } from './probe-backend.js';

describe('probeBackend', () => {
  it('finds out in a child what a compute process would use', async () => {
    const before = process.env['TF_NUM_INTRAOP_THREADS'];
    const report = await probeBackend({ preference: 'wasm' });
    expect(report).toMatchObject({ backend: 'wasm', attempts: [{ what: 'wasm', ok: true }] });
    expect(process.env['TF_NUM_INTRAOP_THREADS']).toBe(before);
  });

  it('always has an answer for auto', async () => {
    const report = await probeBackend();
    expect(report.attempts.at(-1)).toMatchObject({ ok: true });
    expect(['cpu', 'gpu']).toContain(report.device.kind);
    expect(report.device.name).not.toBe('');
  });
});
