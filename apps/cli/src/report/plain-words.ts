import { decimal, percent, whole } from '../render/figures.js';
import type { SetFigures } from './run-document.js';

/**
 * What the figures mean, in words. All of it is computed: on the images where both give the same answer, both are
 * right or both are wrong, so the difference of their accuracies comes from the others alone.
 */
export function inPlainWords({ n, teacher, student, fidelity }: SetFigures, setName: string): string {
  const differing = Math.round(n * (1 - fidelity.top1Agreement));
  const gained = Math.round(n * (student.accuracy - teacher.accuracy));
  return [
    `The student gives its teacher's answer, right or wrong, on ${percent(fidelity.top1Agreement)} of the ${whole(n)} ${setName} images`,
    ...(differing === 0 ? [] : [outcomeOf(gained, differing)]),
    typeof fidelity.predictiveKl === 'number'
      ? `and its probabilities are on average ${decimal(fidelity.predictiveKl, 3)} nats from its teacher's.`
      : 'and it excludes answers that its teacher holds possible.',
  ].join('; ');
}

function outcomeOf(gained: number, differing: number): string {
  const where = `of the ${whole(differing)} on which they differ,`;
  if (gained === 0) return `${where} each is right on as many as the other`;
  const [who, other] = gained > 0 ? ['the student', 'its teacher'] : ['the teacher', 'the student'];
  return `${where} ${who} is right on ${whole(Math.abs(gained))} more than ${other}`;
}
