import { alertingRules, BY_RUN, calibrationQueries, recordingRules } from '@fidelis/deploy';
import { METRICS, type MetricDefinition } from '@fidelis/observability';
import { describe, expect, it } from 'vitest';
import { filesBelow, readJson, readText, readYaml, REPOSITORY } from './deploy-files.js';
import { promqlUsage } from './promql-usage.js';
import { checkRules, findPromtool, testRules, type InputSeries } from './promtool.js';

const RULES = 'deploy/generated/prometheus/rules.yaml';
const promtool = findPromtool();
const catalogue: Readonly<Record<string, MetricDefinition>> = METRICS;
const rules = [...recordingRules, ...alertingRules].map((rule): [string, string] => [
  'record' in rule ? rule.record : rule.alert,
  rule.expr,
]);

/** Grafana's variables as they could be filled in. */
function filledIn(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '20s')
    .replaceAll('$window', '1h')
    .replace(/\$(run|set)/g, '.*');
}

function boardExpressions(): string[] {
  return filesBelow('deploy/generated/grafana')
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const { panels } = readJson(`deploy/generated/grafana/${name}`) as {
        panels: { targets?: { expr: string }[] }[];
      };
      return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr)));
    });
}

describe('the rules', () => {
  it.each(rules)('%s asks for metrics of the catalogue, by labels that they have', (_, expr) => {
    const { selectors } = promqlUsage(expr);
    expect(selectors).not.toHaveLength(0);
    for (const { metric, labels } of selectors) {
      if (metric === 'up') continue;
      expect(catalogue, metric).toHaveProperty(metric);
      for (const label of labels) expect(catalogue[metric]?.labels, `${metric}{${label}}`).toContain(label);
    }
  });

  it.each(alertingRules.map((rule) => [rule.alert, rule] as const))(
    '%s says what happened, of which series, and what to do',
    (alert, { annotations, labels, for: wait }) => {
      expect(alert).toMatch(/^Fidelis[A-Z][A-Za-z]+$/);
      expect(annotations.summary).toContain('{{ $labels.');
      expect(annotations.runbook.length).toBeGreaterThan(80);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(wait).toMatch(/^\d+m$/);
    },
  );

  it('are read by the Prometheus of the Compose file', () => {
    const { rule_files: files } = readYaml('deploy/generated/prometheus/prometheus.yaml') as {
      rule_files: string[];
    };
    const { services } = readYaml('deploy/compose.yaml') as {
      services: { prometheus: { volumes: string[] } };
    };
    for (const file of files) {
      expect(services.prometheus.volumes).toContain(
        `./generated/prometheus/${file}:/etc/prometheus/${file}:ro`,
      );
    }
    expect(files.map((file) => `deploy/generated/prometheus/${file}`)).toEqual([RULES]);
  });
});

describe('docs/prometheus.md', () => {
  const text = readText('docs/prometheus.md');

  it.each([
    ['ece by run over 1h', calibrationQueries.ece({ window: '1h', by: BY_RUN })],
    ['ece by run since the start', calibrationQueries.ece({ by: BY_RUN })],
  ])('shows the query that the rest uses: %s', (name, query) => {
    const shown =
      text
        .split(`<!-- query: ${name} -->`)[1]
        ?.split('```')[1]
        ?.replace(/^promql/, '') ?? '';
    expect(shown.replace(/\s/g, '')).toBe(query.replace(/\s/g, ''));
  });

  it('names every alert, and every metric by run of metrics-svc', () => {
    for (const { alert } of alertingRules) expect(text).toContain(`\`${alert}\``);
    for (const [name, { services, labels }] of Object.entries(catalogue)) {
      if (services.includes('metrics-svc') && labels.includes('run')) expect(text).toContain(`\`${name}\``);
    }
  });
});

/** By alert: series that raise it after some minutes, and such that must not. One sample each minute. */
const ALERTS: Readonly<Record<string, { raise: readonly InputSeries[]; quiet: readonly InputSeries[] }>> = {
  FidelisAgreementLow: {
    raise: [{ series: 'fidelis_agreement_ratio{run="r-1",set="test"}', values: '0.8x30' }],
    quiet: [
      { series: 'fidelis_agreement_ratio{run="r-1",set="test"}', values: '0.8x30' },
      { series: 'fidelis_training_step{run="r-1"}', values: '1+10x30' },
      { series: 'fidelis_agreement_ratio{run="r-2",set="test"}', values: '0.95x30' },
      { series: 'fidelis_agreement_ratio{run="r-3",set="train-clean"}', values: '0.8x30' },
    ],
  },
  FidelisAgreementDropped: {
    raise: [{ series: 'fidelis_agreement_ratio{run="r-1",set="test"}', values: '0.98x10 0.91x20' }],
    quiet: [{ series: 'fidelis_agreement_ratio{run="r-1",set="test"}', values: '0.98x10 0.95x20' }],
  },
  FidelisPredictiveKlHigh: {
    raise: [{ series: 'fidelis_predictive_kl_nats{run="r-1",set="test"}', values: '0.8x30' }],
    quiet: [
      { series: 'fidelis_predictive_kl_nats{run="r-1",set="test"}', values: '0.8x30' },
      { series: 'fidelis_training_step{run="r-1"}', values: '1+10x30' },
      { series: 'fidelis_predictive_kl_nats{run="r-2",set="test"}', values: '0.05x30' },
    ],
  },
  FidelisCalibrationLost: {
    raise: [
      { series: 'fidelis_ece_ratio{run="r-1",set="test",model="student",bins="15"}', values: '0.09x30' },
      { series: 'fidelis_ece_ratio{run="r-1",set="test",model="teacher",bins="15"}', values: '0.01x30' },
    ],
    quiet: [
      { series: 'fidelis_ece_ratio{run="r-1",set="test",model="student",bins="15"}', values: '0.09x30' },
      { series: 'fidelis_ece_ratio{run="r-1",set="test",model="teacher",bins="15"}', values: '0.06x30' },
    ],
  },
  FidelisDeadLetters: {
    // The first message makes the series.
    raise: [
      { series: 'fidelis_dead_letters_total{job="metrics-svc",kind="predictions"}', values: '_x18 1x12' },
    ],
    quiet: [{ series: 'fidelis_dead_letters_total{job="metrics-svc",kind="predictions"}', values: '2x30' }],
  },
  FidelisFramesLost: {
    raise: [{ series: 'fidelis_frames_lost_total{job="student-worker",instance="w"}', values: '0x17 1x12' }],
    quiet: [{ series: 'fidelis_frames_lost_total{job="student-worker",instance="w"}', values: '3x30' }],
  },
  FidelisAccountingOpen: {
    raise: [
      { series: 'fidelis_accounting_open_total{job="student-control",instance="c"}', values: '0x17 1x12' },
    ],
    quiet: [{ series: 'fidelis_accounting_open_total{job="student-control",instance="c"}', values: '3x30' }],
  },
  FidelisCanaryFailed: {
    raise: [{ series: 'fidelis_canary_failures_total{job="teacher-svc",instance="t"}', values: '0x17 1x12' }],
    quiet: [{ series: 'fidelis_canary_failures_total{job="teacher-svc",instance="t"}', values: '3x30' }],
  },
  FidelisStreamsWaitForRoom: {
    raise: [{ series: 'fidelis_teacher_wait_seconds_total{reason="quota",instance="t"}', values: '0+50x30' }],
    quiet: [
      { series: 'fidelis_teacher_wait_seconds_total{reason="quota",instance="t"}', values: '0+10x30' },
      { series: 'fidelis_teacher_wait_seconds_total{reason="pace",instance="t"}', values: '0+60x30' },
    ],
  },
  FidelisServiceDown: {
    raise: [{ series: 'up{job="gateway",instance="10.0.0.1:8080"}', values: '1x10 0x20' }],
    quiet: [
      { series: 'up{job="gateway",instance="10.0.0.1:8080"}', values: '1x30' },
      { series: 'up{job="another",instance="10.0.0.1:9100"}', values: '0x30' },
    ],
  },
};

describe.skipIf(promtool === undefined)('by promtool (Debian package prometheus)', () => {
  const firing = async (
    alert: string,
    series: readonly InputSeries[],
    expected: readonly { labels: string; value: number }[],
  ): Promise<string> =>
    testRules(
      promtool ?? '',
      [
        {
          interval: '1m',
          input_series: series,
          promql_expr_test: [
            {
              expr: `count by (alertname) (ALERTS{alertname="${alert}", alertstate="firing"})`,
              eval_time: '25m',
              exp_samples: expected,
            },
          ],
        },
      ],
      [`${REPOSITORY}${RULES}`],
    );

  it('the rules file is sound', async () => {
    expect(await checkRules(promtool ?? '', readYaml(RULES) as object)).toBe('');
  });

  it('every expression of the boards is sound', async () => {
    const expressions = boardExpressions();
    expect(expressions.length).toBeGreaterThan(20);
    const named = expressions.map((expr, index) => ({ record: `board:expression:${index}`, expr }));
    expect(await checkRules(promtool ?? '', { groups: [{ name: 'board', rules: named }] })).toBe('');
  });

  it('every alert has a case', () => {
    expect(Object.keys(ALERTS).sort()).toEqual(alertingRules.map(({ alert }) => alert).sort());
  });

  it.each(Object.entries(ALERTS))('%s is raised where it should be', async (alert, { raise }) => {
    expect(await firing(alert, raise, [{ labels: `{alertname="${alert}"}`, value: 1 }])).toBe('');
  });

  it.each(Object.entries(ALERTS))('%s is quiet where it should be', async (alert, { quiet }) => {
    expect(await firing(alert, quiet, [])).toBe('');
  });
});
