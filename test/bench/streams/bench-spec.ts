import { experimentSpecSchema, type ExperimentSpec, type ExperimentSpecInput } from '@fidelis/contracts';

export const BATCH_ROWS = 128;

export interface BenchModel {
  readonly model: 'lenet5' | 'preresnet20';
  /** Images of MNIST in the view. */
  readonly images: number;
  readonly policy: 'none' | 'baseline';
  readonly learningRate: number;
}

/** Both on images of MNIST, which every installation has; the larger one sees them cropped and mirrored, as the paper's did. */
export const MODELS: readonly BenchModel[] = [
  { model: 'lenet5', images: 60_000, policy: 'none', learningRate: 0.01 },
  { model: 'preresnet20', images: 2_560, policy: 'baseline', learningRate: 0.05 },
];

/**
 * Self-distillation over a sequence. The teacher is hardly trained, and the same in all of a model's: what is measured is how fast its
 * answers get to students.
 *
 * @param viewSeed another one is another stream
 */
export function benchSpec(
  { model, images, policy, learningRate }: BenchModel,
  { name, viewSeed, epochs }: { readonly name: string; readonly viewSeed: number; readonly epochs: number },
): ExperimentSpec {
  const architecture = model === 'lenet5' ? model : { name: model, norm: 'batch' as const };
  const input: ExperimentSpecInput = {
    name,
    seed: 0,
    dataset: 'mnist',
    teacher: {
      architecture,
      train: { subset: { size: 250 }, epochs: 2, batchSize: 64, optimizer: { learningRate: 0.05 } },
    },
    view: {
      kind: 'sequence',
      seed: viewSeed,
      ...(images < 60_000 ? { subset: { size: images } } : {}),
      ...(policy === 'none' ? { augmentation: [] } : { policy }),
    },
    student: { architecture, epochs, batchSize: BATCH_ROWS, optimizer: { learningRate } },
    evaluation: { sets: ['test'], everyEpochs: 0 },
  };
  return experimentSpecSchema.parse(input);
}
