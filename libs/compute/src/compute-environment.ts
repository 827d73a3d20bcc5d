import { readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a process needs in its environment before it starts, so that TensorFlow computes where it shall: the dynamic linker and CUDA read
 * theirs once. Only what FIDELIS_PLACEMENT=gpu names gets the GPU; what the environment already says about these
 * variables stays, except that a process for the CPU sees no GPU, whatever is said.
 *
 * @param env what the process would get otherwise
 * @param companions folders of CUDA's libraries
 */
export function computeEnvironment(
  env: Environment,
  companions: readonly string[] = companionFolders(),
): Readonly<Record<string, string>> {
  // "-1" names no device: without it TensorFlow takes a context and memory of every GPU it sees, also if it computes nothing there.
  if (env['FIDELIS_PLACEMENT'] !== 'gpu') return { CUDA_VISIBLE_DEVICES: '-1' };
  const present = env['LD_LIBRARY_PATH'] ?? '';
  const search = [...companions, present].filter((path) => path !== '').join(delimiter);
  return {
    ...(search === '' ? {} : { LD_LIBRARY_PATH: search }),
    // TensorFlow would take nearly all of the GPU's memory at once: the next worker on it would get none.
    TF_FORCE_GPU_ALLOW_GROWTH: env['TF_FORCE_GPU_ALLOW_GROWTH'] ?? 'true',
    // cuDNN's and TensorFlow's kernels that add in whatever order threads arrive are not used: results are bit-reproducible.
    TF_DETERMINISTIC_OPS: env['TF_DETERMINISTIC_OPS'] ?? '1',
    // TF32 has ten bits of mantissa: a product would be a thousand times less exact than the float32 it is called.
    NVIDIA_TF32_OVERRIDE: env['NVIDIA_TF32_OVERRIDE'] ?? '0',
  };
}

/**
 * CUDA's libraries beside TensorFlow's, as the set-up for GPUs lays them out: `<directory>/lib/libtensorflow…` and
 * `<directory>/nvidia/<part>/lib`. None where TensorFlow is the CPU's.
 *
 * @param library the folder that the addon is linked to
 */
export function companionFolders(library: string | undefined = linkedLibrary()): readonly string[] {
  if (library === undefined) return [];
  try {
    const nvidia = join(dirname(realpathSync(library)), 'nvidia');
    const folders = readdirSync(nvidia).map((part) => join(nvidia, part, 'lib'));
    return folders.sort().filter((folder) => statSync(folder, { throwIfNoEntry: false }) !== undefined);
  } catch {
    return [];
  }
}

function linkedLibrary(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json');
    return join(dirname(manifest), 'deps', 'lib');
  } catch {
    return undefined;
  }
}
