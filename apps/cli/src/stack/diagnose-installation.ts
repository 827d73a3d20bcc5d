import { probeBackend } from '@fidelis/compute';
import { FidelisError } from '@fidelis/contracts';
import { datasetCatalogue, verifyDataset } from '@fidelis/data';
import { diagnose } from '@fidelis/embedded';
import type { Finding } from './stack-port.js';

/** Every part: what the stack is made of, the backend that a training would get now, the datasets. */
export async function diagnoseInstallation(): Promise<readonly Finding[]> {
  const datasets = datasetCatalogue().map(({ name, source }) => diagnoseDataset(name, source));
  return [...(await diagnose()), await diagnoseBackend(), ...(await Promise.all(datasets))];
}

async function diagnoseBackend(): Promise<Finding> {
  const part = 'backend in use';
  try {
    const { backend, version, threads, attempts } = await probeBackend();
    return {
      part,
      ok: true,
      version: `${backend} ${version}`,
      from: `${threads} thread(s)`,
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

async function diagnoseDataset(name: string, source: string): Promise<Finding> {
  const part = `dataset ${name}`;
  try {
    const bad = (await verifyDataset(name)).find((file) => !file.ok);
    if (bad === undefined) return { part, ok: true, from: source };
    return { part, ok: false, from: source, advice: `${bad.path} is missing or damaged: run \`npm ci\`` };
  } catch (error) {
    return { part, ok: false, from: source, advice: FidelisError.from(error).message };
  }
}
