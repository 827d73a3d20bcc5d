import type { StageName } from '@fidelis/contracts';
import type { RunView } from '../gateway/documents.js';
import { decimal } from '../render/figures.js';
import type { StageView } from '../render/stage-view.js';

const UNITS: Readonly<Record<StageName, string>> = {
  teacher: 'steps',
  stream: 'images',
  student: 'steps',
  evaluation: 'sets',
};

/** The stages of a run as people see them while it goes on. */
export function runStages(run: RunView): StageView[] {
  return run.stages.map(({ name, state, done, total, reused, seconds }): StageView => {
    const each = imagesPerStep(run, name);
    const note = name === 'student' && state === 'running' ? studentNote(run) : '';
    return {
      label: name,
      state,
      done,
      total,
      unit: UNITS[name],
      seconds,
      reused,
      note,
      ...(each === undefined ? {} : { rateOf: { unit: 'images', each } }),
    };
  });
}

function imagesPerStep({ spec }: RunView, stage: StageName): number | undefined {
  if (stage === 'student') return spec.student.batchSize;
  if (stage === 'teacher' && 'train' in spec.teacher) return spec.teacher.train.batchSize;
  return undefined;
}

function studentNote({ progress: { epoch, epochs, loss } }: RunView): string {
  const parts: string[] = [];
  if (epochs > 0) parts.push(`epoch ${Math.min(epoch + 1, epochs)}/${epochs}`);
  if (loss !== null) parts.push(`loss ${decimal(loss, 3)}`);
  return parts.join(' · ');
}
