import { randomUnit } from '@fidelis/data';
import { BY_RUN, calibrationQueries, RECORDED_WINDOWS } from '@fidelis/deploy';
import {
  expectedCalibrationError,
  maximumCalibrationError,
  ReliabilityAccumulator,
  rootMeanSquareCalibrationError,
  type BinTotals,
} from '@fidelis/fidelity';
import { beforeEach, describe, expect, it } from 'vitest';
import { REPOSITORY } from './deploy-files.js';
import { findPromtool, testRules, type ExpressionTest, type InputSeries } from './promtool.js';
import { ScrapedCounters } from './scraped-counters.js';

const BINS = 10;
const STUDENT = { run: 'r-1', set: 'test', model: 'student', bins: String(BINS) } as const;
const SCRAPE_SECONDS = 15;

const ERRORS = {
  ece: expectedCalibrationError,
  mce: maximumCalibrationError,
  rmsce: rootMeanSquareCalibrationError,
} as const;

const promtool = findPromtool();
let evaluations = 0;

/** One evaluation of random predictions: no confidence below 0.3, so that three bins stay empty, and some of exactly 1. */
function randomEvaluation(rows = 400): BinTotals {
  const key = [20, evaluations++] as const;
  const bins = new ReliabilityAccumulator({ classes: 10, bins: BINS });
  for (let row = 0; row < rows; row++) {
    const unit = (counter: number): number => randomUnit(key, [0, counter], row);
    const confidence = unit(0) < 0.1 ? 1 : 0.3 + 0.7 * unit(1);
    bins.addRow(confidence, unit(2) < 0.2 + 0.6 * confidence);
  }
  return bins.totals();
}

function together(...parts: readonly BinTotals[]): BinTotals {
  const sum = (key: keyof BinTotals): number[] =>
    (parts[0]?.[key] ?? []).map((_, bin) => parts.reduce((total, part) => total + (part[key][bin] ?? 0), 0));
  return { count: sum('count'), correct: sum('correct'), confidence: sum('confidence') };
}

function seconds(scrape: number, later = 0): string {
  return `${scrape * SCRAPE_SECONDS + later}s`;
}

/** The expression has this one value, but for rounding. */
function equals(expr: string, expected: number, labels: string, at: string): ExpressionTest {
  return {
    expr: `abs((${expr}) - ${expected}) < bool 1e-12`,
    eval_time: at,
    exp_samples: [{ labels, value: 1 }],
  };
}

const LABELS = '{run="r-1", set="test", model="student", bins="10"}';

describe.skipIf(promtool === undefined)(
  'calibration from counters (needs promtool, Debian package prometheus)',
  () => {
    let replica: ScrapedCounters;

    beforeEach(() => {
      replica = new ScrapedCounters('10.0.0.1:8080');
    });

    function differences(
      series: readonly InputSeries[],
      tests: readonly ExpressionTest[],
      ruleFiles: readonly string[] = [],
    ): Promise<string> {
      const test = { interval: `${SCRAPE_SECONDS}s`, input_series: series, promql_expr_test: tests };
      return testRules(promtool ?? '', [test], ruleFiles);
    }

    /** All errors over a window against those of libs/fidelity. */
    function errorsEqual(expected: BinTotals, window: string, at: string): ExpressionTest[] {
      return Object.entries(ERRORS).map(([error, ofTotals]) =>
        equals(
          calibrationQueries[error as keyof typeof ERRORS]({ window, by: BY_RUN }),
          ofTotals(expected),
          LABELS,
          at,
        ),
      );
    }

    it('equal those of libs/fidelity for a run that began in the window, with empty bins, from its first evaluation on', async () => {
      const [first, second] = [randomEvaluation(), randomEvaluation()];
      await replica.scrape(10);
      replica.count(STUDENT, first);
      await replica.scrape(10);
      replica.count(STUDENT, second);
      await replica.scrape(10);
      expect(first.count.slice(0, 3)).toEqual([0, 0, 0]);
      expect(first.count.at(-1)).toBeGreaterThan(0);
      expect(
        await differences(replica.inputSeries(), [
          ...errorsEqual(first, '10m', seconds(18)),
          ...errorsEqual(first, '10m', seconds(18, 7)),
          ...errorsEqual(together(first, second), '10m', seconds(28)),
          ...errorsEqual(together(first, second), '10m', seconds(28, 4)),
        ]),
      ).toBe('');
    });

    it('are told apart from others: a figure that is off is found', async () => {
      const only = randomEvaluation();
      replica.count(STUDENT, only);
      await replica.scrape(10);
      const off = equals(
        calibrationQueries.ece({ window: '10m', by: BY_RUN }),
        expectedCalibrationError(only) + 1e-6,
        LABELS,
        seconds(9),
      );
      expect(await differences(replica.inputSeries(), [off])).toContain('FAILED');
    });

    it('are of the evaluations in the window alone, and of none where there was none', async () => {
      const [before, within, after] = [randomEvaluation(), randomEvaluation(), randomEvaluation()];
      replica.count(STUDENT, before);
      await replica.scrape(40);
      replica.count(STUDENT, within);
      await replica.scrape(40);
      replica.count(STUDENT, after);
      await replica.scrape(40);
      const empty = {
        expr: calibrationQueries.ece({ window: '4m', by: BY_RUN }),
        eval_time: seconds(30),
        exp_samples: [],
      };
      expect(
        await differences(replica.inputSeries(), [
          ...errorsEqual(within, '5m', seconds(50)),
          ...errorsEqual(within, '5m', seconds(44, 3)),
          ...errorsEqual(together(within, after), '12m30s', seconds(85)),
          empty,
        ]),
      ).toBe('');
    });

    it('go on over the restart of a replica, also where it comes back with higher counts', async () => {
      const [first, second, third] = [randomEvaluation(), randomEvaluation(100), randomEvaluation(900)];
      await replica.scrape(4);
      replica.count(STUDENT, first);
      await replica.scrape(10);
      replica.count(STUDENT, second);
      await replica.scrape(10);
      replica.restart();
      replica.count(STUDENT, third);
      await replica.scrape(10);
      expect(
        await differences(
          replica.inputSeries(),
          errorsEqual(together(first, second, third), '20m', seconds(33)),
        ),
      ).toBe('');
    });

    it('are of the sums of replicas, not means of their errors, and of a run whose series are gone', async () => {
      const other = new ScrapedCounters('10.0.0.2:8080');
      const [here, there] = [randomEvaluation(900), randomEvaluation(100)];
      replica.count(STUDENT, here);
      other.count(STUDENT, there);
      await Promise.all([replica.scrape(10), other.scrape(10)]);
      await Promise.all([replica.forgetRun('r-1'), other.forgetRun('r-1')]);
      await Promise.all([replica.scrape(10), other.scrape(10)]);
      const series = [...replica.inputSeries(), ...other.inputSeries()];
      expect(series[0]?.values).toMatch(/ stale(?: _)+$/);
      expect(
        await differences(series, [
          ...errorsEqual(together(here, there), '10m', seconds(9)),
          ...errorsEqual(together(here, there), '10m', seconds(18)),
        ]),
      ).toBe('');
    });

    it('are those of several runs together where `run` is left out, and of one where it is matched', async () => {
      const [one, two, teacher] = [randomEvaluation(), randomEvaluation(), randomEvaluation()];
      replica.count(STUDENT, one);
      replica.count({ ...STUDENT, run: 'r-2' }, two);
      replica.count({ ...STUDENT, model: 'teacher' }, teacher);
      await replica.scrape(10);
      const by = ['set', 'model', 'bins'];
      const ece = (matchers: readonly string[]): string =>
        calibrationQueries.ece({ window: '10m', by, matchers });
      expect(
        await differences(replica.inputSeries(), [
          equals(
            ece(['model="student"']),
            expectedCalibrationError(together(one, two)),
            '{set="test", model="student", bins="10"}',
            seconds(9),
          ),
          equals(
            ece(['run=~"r-2"']),
            expectedCalibrationError(two),
            '{set="test", model="student", bins="10"}',
            seconds(9),
          ),
        ]),
      ).toBe('');
    });

    it('without a window are of all that the counters hold', async () => {
      const [first, second] = [randomEvaluation(), randomEvaluation()];
      replica.count(STUDENT, first);
      await replica.scrape(10);
      replica.count(STUDENT, second);
      await replica.scrape(100);
      expect(
        await differences(replica.inputSeries(), [
          equals(
            calibrationQueries.ece({ by: BY_RUN }),
            expectedCalibrationError(together(first, second)),
            LABELS,
            seconds(109),
          ),
        ]),
      ).toBe('');
    });

    it('have the bars of the reliability diagram: accuracy and mean confidence, no bar for an empty bin', async () => {
      const only = randomEvaluation();
      replica.count(STUDENT, only);
      await replica.scrape(10);
      const bars = (sums: readonly number[], query: 'binAccuracy' | 'binConfidence'): ExpressionTest[] =>
        sums.map((sum, bin) => {
          const label = `bin="${String(bin).padStart(4, '0')}"`;
          const expr = calibrationQueries[query]({ window: '10m', by: BY_RUN, matchers: [label] });
          const count = only.count[bin] ?? 0;
          if (count === 0) return { expr, eval_time: seconds(9), exp_samples: [] };
          return equals(expr, sum / count, `${LABELS.slice(0, -1)}, ${label}}`, seconds(9));
        });
      expect(
        await differences(replica.inputSeries(), [
          ...bars(only.correct, 'binAccuracy'),
          ...bars(only.confidence, 'binConfidence'),
        ]),
      ).toBe('');
    });

    it('are recorded by the rules file', async () => {
      const only = randomEvaluation();
      replica.count(STUDENT, only);
      await replica.scrape(10);
      const recorded = RECORDED_WINDOWS.flatMap((window) =>
        Object.entries(ERRORS).map(([error, ofTotals]) =>
          equals(`run_set_model_bins:fidelis_${error}_ratio:increase${window}`, ofTotals(only), LABELS, '2m'),
        ),
      );
      expect(
        await differences(replica.inputSeries(), recorded, [
          `${REPOSITORY}deploy/generated/prometheus/rules.yaml`,
        ]),
      ).toBe('');
    });
  },
);
