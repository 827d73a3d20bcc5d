import type { TrainJob } from '@fidelis/contracts';
import { lossNeeds, type TargetProvider } from '@fidelis/distillation';

export interface FrameCounts {
  readonly framesConsumed: number;
  readonly framesTrained: number;
  readonly waitSeconds: number;
}

/** What a training has had of its stream so far; a teacher's has none. */
export function frameCounts(targets: TargetProvider | undefined): FrameCounts {
  if (targets === undefined) return { framesConsumed: 0, framesTrained: 0, waitSeconds: 0 };
  const { framesConsumed, framesTrained, waitSeconds } = targets;
  return { framesConsumed, framesTrained, waitSeconds };
}

/** Distinct frames that the training asks for: none where it learns from labels alone. */
export function framesNeeded(job: TrainJob): number {
  return job.kind === 'student' && lossNeeds(job.loss).teacher ? job.stream.steps : 0;
}
