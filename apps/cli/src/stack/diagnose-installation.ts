import { probeBackend, type ComputeDevice } from '@fidelis/compute';
import { FidelisError } from '@fidelis/contracts';
import { damagedDatasets, datasetCatalogue, verifyDataset, type DatasetInfo } from '@fidelis/data';
import { diagnose } from '@fidelis/embedded';
import type { Finding } from './stack-port.js';

/** Every part: what the stack is made of, the backend that a training would get now, the datasets. */
export async function diagnoseInstallation(): Promise<readonly Finding[]> {
  const datasets = await Promise.all(datasetCatalogue().map(diagnoseDataset));
  const damaged = damagedDatasets().map(({ name, problem }): Finding => ({
    part: `dataset ${name}`,
    ok: false,
    advice: `${problem}; \`fidelis data remove ${name}\` removes it`,
  }));
  return [...(await diagnose()), await diagnoseBackend(), ...datasets.flat(), ...damaged];
}

async function diagnoseBackend(): Promise<Finding> {
  const part = 'backend in use';
  try {
    const { backend, version, threads, device, attempts } = await probeBackend();
    return {
      part,
      ok: true,
      version: `${backend} ${version}`,
      from: `${describeDevice(device)}, ${threads} thread(s)`,
      device,
      attempts,
      ...(backend === 'wasm'
        ? {
            advice:
              'training is several times slower than with TensorFlow: run `npm run setup` to see what is in its way',
          }
        : {}),
    };
  } catch (error) {
    return { part, ok: false, advice: FidelisError.from(error).message };
  }
}

/** Without a GPU that TensorFlow can use, it says so: a driver that is missing is seen nowhere else. */
function describeDevice({ kind, name, memoryBytes }: ComputeDevice): string {
  if (kind === 'cpu') return `CPU ${name} (no GPU in use)`;
  return memoryBytes === undefined ? `GPU ${name}` : `GPU ${name}, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
}

/** A dataset that the system may have and has not is nothing that is missing. */
async function diagnoseDataset({ name, source, origin }: DatasetInfo): Promise<readonly Finding[]> {
  const part = `dataset ${name}`;
  try {
    const bad = (await verifyDataset(name)).find((file) => !file.ok);
    if (bad === undefined) return [{ part, ok: true, from: source }];
    const advice = origin === 'bundled' ? 'run `npm ci`' : `see \`fidelis data verify ${name}\``;
    return [{ part, ok: false, from: source, advice: `${bad.path} is missing or damaged: ${advice}` }];
  } catch (error) {
    const { code, message } = FidelisError.from(error);
    if (origin === 'system' && code === 'SETUP.MISSING') return [];
    return [{ part, ok: false, from: source, advice: message }];
  }
}
