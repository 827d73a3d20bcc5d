import {
  parseStrict,
  studentJobSchema,
  type ExperimentSpec,
  type InitialisationSpec,
} from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { at, runOf, specOf, streamOf, teacherOf } from '../../fixtures/records.js';
import { checkInitialisation } from './student-start.js';
import { studentJobOf } from './run-creation.js';
import { teacherReported } from './run-transitions.js';

const weights = ['a', 'b'].map((letter) => letter.repeat(64));
const memberModels = weights.map((digest, index) => ({
  teacherId: `t-00000000000${index}`,
  seed: 40 + index,
  weights: digest,
}));

function specWith(
  initialisation: InitialisationSpec,
  change: Partial<ExperimentSpec['student']> = {},
): ExperimentSpec {
  const spec = specOf();
  return { ...spec, student: { ...spec.student, ...change, initialisation } };
}

function startOf(spec: ExperimentSpec, teacher = teacherOf({ memberModels, members: 2 })): unknown {
  const row = runOf(spec);
  teacherReported(row, teacher, at(1));
  const job = studentJobOf(row, streamOf());
  expect(parseStrict(studentJobSchema, job)).toEqual(job);
  return job.start;
}

describe('a student', () => {
  it('starts at random where nothing else is said, and its job is as it was', () => {
    expect(startOf(specOf())).toBeUndefined();
    expect(startOf(specWith({ kind: 'random' }))).toBeUndefined();
  });

  it("starts where a member started, from that member's seed", () => {
    expect(startOf(specWith({ kind: 'teacher-initial', member: 1 }))).toMatchObject({
      kind: 'teacher-initial',
      seed: 41,
    });
  });

  it("starts between a random start and a member's weights", () => {
    const initialisation = {
      kind: 'interpolate',
      lambda: 0.375,
      member: 1,
      rescaleLearningRate: false,
      refreshStatistics: true,
    } as const;
    expect(startOf(specWith(initialisation))).toMatchObject({ lambda: 0.375, weights: weights[1] });
  });

  it('is refused a member that the teacher does not have, and told which it has', () => {
    expect(() => startOf(specWith({ kind: 'teacher-initial', member: 2 }))).toThrow(/members 0 to 1/);
    expect(() => {
      checkInitialisation(specWith({ kind: 'teacher-initial', member: 1 }));
    }).toThrow(/single model/);
  });

  it('is refused the weights of another architecture, before anything starts and after', () => {
    const mlp = specWith({ kind: 'teacher-initial', member: 0 }, { architecture: { name: 'mlp' } });
    expect(() => {
      checkInitialisation(mlp);
    }).toThrow(/student\.initialisation: .*architecture/);
    expect(() => startOf(mlp)).toThrow(/architecture/);
  });
});
