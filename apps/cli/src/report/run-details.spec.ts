import { describe, expect, it } from 'vitest';
import { createStyle } from '../render/style.js';
import { sampleRun } from '../testing/fake-gateway.js';
import { renderRunDetails } from './run-details.js';

describe('the evaluations of a run', () => {
  const lines = (run = sampleRun()): string[] => renderRunDetails(run, createStyle(false)).split('\n');
  const cells = (text: string[], start: RegExp): string[][] =>
    text.filter((line) => start.test(line)).map((line) => line.split(/\s{2,}/));

  it('are told by how well the student matches its teacher, and by how well each predicts', () => {
    expect(cells(lines(), /^test /)).toEqual([
      ['test', '3 (final)', '96.43 %', '99.91 %', '0.9603', '0.0213', '0.0052'],
      ['test', '3 (final)', 'teacher', '84.10 %', '99.30 %', '0.5512', '0.2371', '0.0213'],
      ['test', '3 (final)', 'student', '84.28 %', '99.30 %', '0.5401', '0.2371', '0.0177'],
    ]);
  });

  it('show what is infinite and what has no value', () => {
    const run = sampleRun();
    const [test] = run.evaluations;
    if (test === undefined) throw new Error('the sample has an evaluation');
    const evaluation = {
      ...test,
      fidelity: { ...test.fidelity, predictiveKl: null, cohenKappa: null },
      student: { ...test.student, nll: null, brier: null },
      infinite: ['fidelity.predictiveKl', 'student.nll'],
    };
    const [fidelity, , student] = cells(lines({ ...run, evaluations: [evaluation] }), /^test /);
    expect(fidelity).toEqual(['test', '3 (final)', '96.43 %', '99.91 %', '–', '∞', '0.0052']);
    expect(student).toEqual(['test', '3 (final)', 'student', '84.28 %', '99.30 %', '∞', '–', '0.0177']);
  });

  it('come after how the student was trained: as a graph, or why not', () => {
    const executed = (run = sampleRun()): string | undefined =>
      lines(run).find((line) => line.startsWith('executed '));
    expect(executed()).toMatch(/as a graph$/);
    const { lineage } = sampleRun();
    const execution = { mode: 'eager', reason: 'FIDELIS_EAGER is set' } as const;
    expect(executed(sampleRun({ lineage: { ...lineage, execution } }))).toContain(
      'one operation after the other (FIDELIS_EAGER is set)',
    );
  });

  it('fit into 80 columns', () => {
    const tables = lines().slice(lines().findIndex((line) => line.startsWith('set ')));
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
