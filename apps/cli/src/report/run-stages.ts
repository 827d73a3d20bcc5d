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
    const waitsFor = whoMoves(run, name);
    return {
      label: name,
      state,
      done,
      total,
      unit: UNITS[name],
      seconds,
      reused,
      note,
      ...(run.state === 'cancelled' ? { endedAs: 'cancelled' } : {}),
      ...(waitsFor === undefined ? {} : { waitsFor }),
      ...(each === undefined ? {} : { rateOf: { unit: 'images', each } }),
    };
  });
}

function imagesPerStep({ spec }: RunView, stage: StageName): number | undefined {
  if (stage === 'student') return spec.student.batchSize;
  if (stage === 'teacher' && 'train' in spec.teacher) return spec.teacher.train.batchSize;
  return undefined;
}

function studentNote({ progress, attempts }: RunView): string {
  const { step, steps, epoch, epochs, loss } = progress;
  const parts = attempts > 1 ? [`attempt ${attempts}`] : [];
  if (steps > 0 && step >= steps) return [...parts, 'predicting'].join(' · ');
  if (epochs > 0) parts.push(`epoch ${Math.min(epoch + 1, epochs)}/${epochs}`);
  if (loss !== null) parts.push(`loss ${decimal(loss, 3)}`);
  return parts.join(' · ');
}

/** Who has to act for this stage to move; undefined where another stage comes first. */
function whoMoves(run: RunView, stage: StageName): string | undefined {
  const of = (name: StageName): RunView['stages'][number] | undefined =>
    run.stages.find((each) => each.name === name);
  const state = of(stage)?.state;
  if (state === 'waiting') return stage === 'student' && run.state === 'queued' ? 'a free worker' : undefined;
  if (state !== 'running') return undefined;
  switch (stage) {
    case 'teacher':
      return of('teacher')?.done === 0 ? 'a worker to train the teacher' : "the teacher's worker";
    case 'stream':
      return 'the teacher service to score images';
    case 'student':
      return of('stream')?.state === 'done' ? 'its worker' : "the teacher's logits";
    case 'evaluation':
      return 'the metrics service to score the predictions';
  }
}
