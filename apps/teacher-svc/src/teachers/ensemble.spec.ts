import {
  parseStrict,
  teacherRecordSchema,
  trainedTeacherSpecSchema,
  type TrainedTeacherSpec,
} from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { memberSpecs, weightsDigestOf } from './ensemble.js';
import { settleEnsemble } from './settle-ensemble.js';
import { newTeacher, toTeacherRecord } from './teacher-records.js';
import { teacherIdOf } from './teacher-id.js';
import type { TeacherRow } from './teacher.entity.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T00:05:00Z');

const single: TrainedTeacherSpec = parseStrict(trainedTeacherSpecSchema, {
  architecture: { name: 'lenet5' },
  dataset: { name: 'mnist', digest: 'da'.repeat(32) },
  seed: 3,
  train: { epochs: 50, batchSize: 32, optimizer: { learningRate: 0.01 } },
});
const spec: TrainedTeacherSpec = { ...single, members: 3 };

function membersOf(...changes: readonly Partial<TeacherRow>[]): TeacherRow[] {
  return memberSpecs(spec).map((member, index) => ({
    ...newTeacher(member, 'c-1', NOW),
    ...changes[index],
  }));
}

const ready = (letter: string): Partial<TeacherRow> => ({
  state: 'ready',
  weightsDigest: letter.repeat(64),
  progress: { done: 10, total: 10 },
});

describe('the members of an ensemble', () => {
  it('are teachers of their own, of which the first is the single one of the same seed', () => {
    const members = memberSpecs(spec);
    expect(members[0]).toEqual(single);
    expect(new Set(members.map(({ seed }) => seed)).size).toBe(3);
    expect(new Set(members.map(teacherIdOf)).size).toBe(3);
    expect(teacherIdOf(spec)).not.toBe(teacherIdOf(single));
  });

  it('are shared with a larger ensemble', () => {
    expect(memberSpecs({ ...spec, members: 5 }).slice(0, 3)).toEqual(memberSpecs(spec));
  });

  it('never have the seed that a student gets by default', () => {
    const seeds = memberSpecs({ ...spec, members: 64 }).map(({ seed }) => seed);
    expect(seeds).not.toContain(single.seed + 1);
  });

  it('name their teacher by their weights, in order; a single model by its own', () => {
    expect(weightsDigestOf(['a'.repeat(64)])).toBe('a'.repeat(64));
    const [ab, ba] = [
      ['a', 'b'],
      ['b', 'a'],
    ].map((letters) => weightsDigestOf(letters.map((letter) => letter.repeat(64))));
    expect(ab).toMatch(/^[0-9a-f]{64}$/);
    expect(ab).not.toBe(ba);
  });
});

describe('an ensemble in training', () => {
  it('is ready when its last member is, with their weights in order', () => {
    const ensemble = newTeacher(spec, 'c-1', NOW);
    expect(settleEnsemble(ensemble, membersOf(ready('a'), ready('b')), LATER)).toBe(true);
    expect(ensemble).toMatchObject({ state: 'training', weightsDigest: null });
    expect(settleEnsemble(ensemble, membersOf(ready('a'), ready('b'), ready('c')), LATER)).toBe(true);
    const record = parseStrict(teacherRecordSchema, toTeacherRecord(ensemble));
    expect(record).toMatchObject({ state: 'ready', members: 3, progress: { done: 30, total: 30 } });
    expect(record.memberModels.map(({ weights }) => weights)).toEqual(
      ['a', 'b', 'c'].map((letter) => letter.repeat(64)),
    );
  });

  it('counts the steps of all members, also of those that have not begun', () => {
    const ensemble = newTeacher(spec, 'c-1', NOW);
    settleEnsemble(ensemble, membersOf({ progress: { done: 4, total: 10 } }), LATER);
    expect(ensemble.progress).toEqual({ done: 4, total: 30 });
    expect(settleEnsemble(ensemble, membersOf({ progress: { done: 4, total: 10 } }), LATER)).toBe(false);
  });

  it('fails with the member that failed, and names it', () => {
    const ensemble = newTeacher(spec, 'c-1', NOW);
    const error = { code: 'TRAINING.DIVERGED', message: 'the loss is NaN', retryable: false } as const;
    expect(settleEnsemble(ensemble, membersOf(ready('a'), { state: 'failed', error }), LATER)).toBe(true);
    expect(ensemble).toMatchObject({ state: 'failed', error: { code: 'TRAINING.DIVERGED' } });
    expect(ensemble.error?.message).toContain('member 1');
    expect(ensemble.error?.message).toContain('the loss is NaN');
  });

  it('stays what it came to', () => {
    const ensemble = { ...newTeacher(spec, 'c-1', NOW), state: 'failed' as const };
    expect(settleEnsemble(ensemble, membersOf(ready('a'), ready('b'), ready('c')), LATER)).toBe(false);
    expect(ensemble.state).toBe('failed');
  });
});
