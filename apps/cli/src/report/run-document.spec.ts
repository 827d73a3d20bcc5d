import { describe, expect, it } from 'vitest';
import { sampleRun } from '../testing/fake-gateway.js';
import { inPlainWords } from './plain-words.js';
import { runDocument } from './run-document.js';

describe('runDocument', () => {
  it('has the figures of `test` at the top and of every set below', () => {
    const document = runDocument(sampleRun(), { stack: 6, total: 50 });
    expect(document.sets.test).toEqual({
      n: document.n,
      teacher: document.teacher,
      student: document.student,
      fidelity: document.fidelity,
    });
    expect(document.seconds).toEqual({
      stack: 6,
      teacher: 9,
      stream: 0,
      student: 20.5,
      evaluation: 4,
      total: 50,
    });
  });

  it('has a digest of the figures that times and names do not change, and figures do', () => {
    const one = runDocument(sampleRun());
    const later = sampleRun({ id: 'r-2', attempts: 2, endedAt: null, correlationId: 'c-2' });
    expect(runDocument(later, { total: 99 }).figuresDigest).toBe(one.figuresDigest);
    const run = sampleRun();
    const [test, ...others] = run.evaluations;
    if (test === undefined) throw new Error('the sample has an evaluation');
    const other = { ...test, student: { ...test.student, nll: Number(test.student.nll) + 1e-12 } };
    expect(runDocument({ ...run, evaluations: [other, ...others] }).figuresDigest).not.toBe(
      one.figuresDigest,
    );
  });

  it('says how the student was trained', () => {
    expect(runDocument(sampleRun()).execution).toEqual({ mode: 'graph', reason: null });
  });

  it('leaves evaluations of earlier epochs out', () => {
    const run = sampleRun();
    const evaluations = run.evaluations.map((evaluation) => ({
      ...evaluation,
      final: evaluation.set === 'train-clean',
    }));
    expect(runDocument({ ...run, evaluations })).toMatchObject({ set: 'train-clean', n: 60_000 });
  });

  it('refuses a run that has none', () => {
    expect(() => runDocument(sampleRun({ evaluations: [] }))).toThrow('has no evaluation');
  });
});

describe('inPlainWords', () => {
  const figures = (
    teacher: number,
    student: number,
    top1Agreement: number,
  ): Parameters<typeof inPlainWords>[0] => ({
    n: 10_000,
    teacher: { accuracy: teacher, nll: 0.5, ece: 0.02 },
    student: { accuracy: student, nll: 0.5, ece: 0.02 },
    fidelity: { top1Agreement, predictiveKl: 0.0213 },
  });

  it.each([
    [
      0.84,
      0.8418,
      0.964,
      'of the 360 on which they differ, the student is right on 18 more than its teacher;',
    ],
    [
      0.84,
      0.8399,
      0.964,
      'of the 360 on which they differ, the teacher is right on 1 more than the student;',
    ],
    [0.84, 0.84, 0.964, 'of the 360 on which they differ, each is right on as many as the other;'],
  ])('teacher %d, student %d, agreement %d', (teacher, student, agreement, words) => {
    expect(inPlainWords(figures(teacher, student, agreement), 'test')).toContain(words);
  });

  it('has no word on differences where there are none', () => {
    const words = inPlainWords(figures(0.84, 0.84, 1), 'test');
    expect(words).toContain('on 100.00 % of the 10,000 test images');
    expect(words).not.toContain('differ');
  });
});
