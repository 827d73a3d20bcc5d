import type { ProducerFingerprint } from '@fidelis/contracts';
import type { BackendReport } from './backend-report.js';
import { processorDevice } from './compute-device.js';

/**
 * What decides the bits of a result besides spec and seed. The processor's model is part of it: TensorFlow chooses its kernels by the
 * instruction sets that it finds. So is the GPU's, where one computes, and that oneDNN was switched off.
 */
export function fingerprint(report: BackendReport): ProducerFingerprint {
  const { device } = report;
  const hardware = device.kind === 'gpu' ? `${processorDevice().name}, ${device.name}` : device.name;
  const otherKernels = report.backend === 'tensorflow' && process.env['TF_ENABLE_ONEDNN_OPTS'] === '0';
  return {
    backend: report.backend,
    backendVersion: report.version,
    threads: report.threads,
    platform: `${process.platform}-${process.arch}, ${hardware}${otherKernels ? ', without oneDNN' : ''}`,
  };
}
