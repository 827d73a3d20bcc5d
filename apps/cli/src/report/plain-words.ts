import { decimal, percent, whole } from '../render/figures.js';
import type { SetFigures } from './run-document.js';

/**
 * What the figures mean, in words. All of it is computed: on the images where both give the same answer, both are
 * right or both are wrong, so the difference of their accuracies comes from the others alone.
 */
export function inPlainWords({ n, teacher, student, fidelity }: SetFigures, setName: string): string {
  const differing = Math.round(n * (1 - fidelity.top1Agreement));
  const images = `${whole(n)} ${setName} images`;
  const agreement = `On ${images} the student gives its teacher's answer on ${percent(fidelity.top1Agreement)} of them`;
  const confidence = `and its probabilities are ${decimal(fidelity.predictiveKl, 3)} nats from its teacher's on average.`;
  if (differing === 0) return `${agreement}, the teacher's mistakes included, ${confidence}`;
  const gained = Math.round(n * (student.accuracy - teacher.accuracy));
  return `${agreement}, the teacher's mistakes included; ${outcomeOf(gained, differing)}; ${confidence}`;
}

function outcomeOf(gained: number, differing: number): string {
  const where =
    differing === 1 ? 'on the 1 where they differ' : `on the ${whole(differing)} where they differ`;
  if (gained === 0) return `${where}, the student is right as often as the teacher`;
  const who = gained > 0 ? 'the student is right' : 'the teacher is right';
  const other = gained > 0 ? 'its teacher' : 'the student';
  const times = Math.abs(gained) === 1 ? 'once' : `${whole(Math.abs(gained))} times`;
  return `${where}, ${who} ${times} more often than ${other}`;
}
