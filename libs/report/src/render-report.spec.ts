import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { reportFixture, studentFixture } from './report-model.fixture.js';
import { renderReport } from './render-report.js';
import type { ReportModel, StudentView } from './report-model.js';

interface Page {
  readonly document: {
    querySelectorAll(selector: string): Iterable<{ readonly textContent: string }>;
  };
}

/** Texts of the elements that a selector finds. */
function textsOf(model: ReportModel, selector: string): string[] {
  const page: unknown = parseHTML(renderReport(model));
  return [...(page as Page).document.querySelectorAll(selector)].map(({ textContent }) =>
    textContent.replace(/\s+/g, ' ').trim(),
  );
}

describe('renderReport', () => {
  it('shows every figure with its unit and interval, and a value that is none as what it is', () => {
    const rows = textsOf(reportFixture(), '.figures tbody tr');
    expect(rows).toContainEqual(expect.stringMatching(/^top-1 agreement ?93\.45 % ?92\.00 – 95\.00 %$/));
    expect(rows).toContainEqual(expect.stringMatching(/^reverse KL\(s ‖ t\) ?nats ?∞$/));
    expect(rows).toContainEqual(expect.stringMatching(/^agreement, teacher wrong ?n\/a$/));
    expect(rows).toContainEqual(expect.stringMatching(/^accuracy ?95\.00 % ?93\.00 – 97\.00 % ?90\.00 %$/));
    expect(rows).toContainEqual(expect.stringMatching(/^ECE at that temperature ?– ?0\.0020$/));
  });

  it('leaves out what was not computed, in the table and in the definitions', () => {
    const model = reportFixture();
    expect(textsOf(model, '.figures th').join()).not.toContain('smooth ECE');
    expect(textsOf(model, 'dt')).not.toContain('smooth ECE');
    expect(textsOf(model, 'dt')).toContain('best temperature');
  });

  it('draws a diagram of each model and of the fidelity calibration, described for those who cannot see it', () => {
    const report = renderReport(reportFixture());
    expect(report).toContain(
      'aria-label="Reliability diagram of teacher: teacher.npy: accuracy in each bin of confidence"',
    );
    expect(report).toContain(
      'aria-label="Reliability diagram of student: small: agreement in each bin of confidence"',
    );
    expect(report).toContain('aria-label="Disagreement matrix of the teacher and small; ');
    expect(report.match(/<svg role="img" aria-label="[^"]+"/g)).toHaveLength(
      report.match(/<svg/g)?.length ?? 0,
    );
    // The bin of exactly 1 is drawn with the one below: (30 · 0.6 + 10 · 1) / 40.
    expect(report).toContain('accuracy 0.7000');
  });

  it('without labels has the fidelity calibration and no accuracy', () => {
    const { diagram: _diagram, ...student } = studentFixture('small', 4);
    const model = reportFixture({
      labelled: false,
      teacher: { name: 't', figures: {}, intervals: {} },
      students: [{ ...student, student: {} }],
    });
    expect(textsOf(model, 'figure h3')).toEqual(['student: small']);
    expect(textsOf(model, 'thead th').join()).not.toContain('accuracy');
    expect(textsOf(model, '.group')).toEqual(['How well the student matches its teacher']);
  });

  it('names the most frequent pairs with their share of the row', () => {
    expect(textsOf(reportFixture(), '.beside tbody tr')).toEqual([
      expect.stringMatching(/^0 ?1 ?4 ?10\.00 %$/),
    ]);
    const student = { ...studentFixture('small', 4), disagreement: [{ teacher: 0, student: 0, count: 40 }] };
    expect(renderReport(reportFixture({ students: [student] }))).toContain(
      'the same class on all 40 samples',
    );
  });

  it('of many classes draws blocks of neighbours, and lists all', () => {
    const model = reportFixture({ students: [studentFixture('small', 300)] }, 300);
    expect(renderReport(model)).toMatch(/A cell stands for 5 × 5 neighbouring classes/);
    expect(textsOf(model, '.tall tbody tr')).toHaveLength(300);
  });

  it('has one table by class, with the figures of all students', () => {
    const students = [studentFixture('small', 4), studentFixture('wide', 4)];
    expect(textsOf(reportFixture({ students }), '.tall thead th')).toEqual([
      'class',
      'samples',
      'teacher predicts it',
      "teacher's accuracy",
      'small: agreement',
      'small: accuracy',
      'wide: agreement',
      'wide: accuracy',
    ]);
    expect(textsOf(reportFixture({ students }), '.tall tbody tr')[0]).toMatch(
      /^0 ?10 ?40 ?95\.00 % ?90\.00 % ?– ?90\.00 % ?–$/,
    );
  });

  it('stays small: two students of 100 classes that differ on every pair, and three of 1,000', () => {
    const differing = (classes: number): StudentView => ({
      ...studentFixture('small', classes),
      disagreement: Array.from({ length: classes * 100 }, (_, at) => ({
        teacher: Math.floor(at / 100),
        student: ((at % 100) * classes) / 100,
        count: 1 + (at % 7),
      })),
    });
    const kilobytes = (classes: number, students: number): number =>
      renderReport(
        reportFixture({ students: Array.from({ length: students }, () => differing(classes)) }, classes),
      ).length / 1000;
    expect(kilobytes(100, 2)).toBeLessThan(250);
    expect(kilobytes(1000, 3)).toBeLessThan(900);
  });

  it('has the comparisons of several students', () => {
    const students = [studentFixture('small', 4), studentFixture('wide', 4)];
    const compared = {
      first: 'small',
      second: 'wide',
      on: 'agreement',
      test: 'mcnemar',
      method: 'exact',
    } as const;
    const comparisons = [
      { ...compared, difference: 0.05, onlyFirst: 3, onlySecond: 1, pValue: 0.0312, pValueHolm: 0.0624 },
    ];
    const rows = textsOf(reportFixture({ students, comparisons }), 'tr');
    expect(rows).toContainEqual(
      expect.stringMatching(/^small − wide ?agreement ?\+5\.00 % ?3 ?1 ?McNemar, exact ?0\.0312 ?0\.0624$/),
    );
  });

  it('shows names as text, whatever is in them', () => {
    const name = `"><script>alert('1')</script>`;
    const model = reportFixture({ students: [studentFixture(name, 4)] });
    expect(textsOf(model, 'script')).toEqual([]);
    expect(textsOf(model, 'figure h3')).toContain(`student: ${name}`);
    expect(textsOf(model, 'h1')).toEqual([`How faithful is ${name} to its teacher?`]);
  });

  it('needs nothing but itself', () => {
    const report = renderReport(reportFixture()).replaceAll('http://www.w3.org/', '');
    expect(report).not.toMatch(/https?:|<script|<link|src=|@import|url\(/);
    expect(report).toMatch(/prefers-color-scheme:\s*dark/);
  });
});
