import { cpus } from 'node:os';
import type { ProducerFingerprint } from '@fidelis/contracts';
import type { BackendReport } from './backend-report.js';

/**
 * What decides the bits of a result besides spec and seed. The processor's model is part of it: TensorFlow chooses its kernels by the
 * instruction sets that it finds.
 */
export function fingerprint(report: BackendReport): ProducerFingerprint {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  return {
    backend: report.backend,
    backendVersion: report.version,
    threads: report.threads,
    platform: `${process.platform}-${process.arch}, ${processor}`,
  };
}
