import { RELIABILITY_COUNTERS } from '@fidelis/deploy';
import { METRICS, type MetricDefinition } from '@fidelis/observability';
import { describe, expect, it } from 'vitest';
import { filesBelow, readJson, readYaml } from './deploy-files.js';
import { promqlUsage } from './promql-usage.js';

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

interface Board {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: string }[];
  };
}

/** Labels that Prometheus gives to every target. */
const TARGET_LABELS = ['job', 'instance'];
const FOLDER = 'deploy/generated/grafana';

const boardFiles = filesBelow(FOLDER).filter((name) => name.endsWith('.json'));
const boards = boardFiles.map((name): [string, Board] => [name, readJson(`${FOLDER}/${name}`) as Board]);
const panels = boards.flatMap(([, board]) => board.panels.filter(({ type }) => type !== 'row'));
const targets = panels.flatMap((panel) =>
  (panel.targets ?? []).map((target): [string, Target] => [panel.title, target]),
);

/** The catalogue's definition behind a series name, and the labels that the series has. */
function series(name: string): { definition: MetricDefinition | undefined; labels: readonly string[] } {
  const catalogue: Readonly<Record<string, MetricDefinition>> = METRICS;
  const histogram = /^(.+)_(bucket|sum|count)$/.exec(name);
  const base = histogram?.[1] === undefined ? undefined : catalogue[histogram[1]];
  if (base?.type === 'histogram') {
    return {
      definition: base,
      labels: [...base.labels, ...TARGET_LABELS, ...(histogram?.[2] === 'bucket' ? ['le'] : [])],
    };
  }
  const definition = catalogue[name];
  return {
    definition: definition?.type === 'histogram' ? undefined : definition,
    labels: [...(definition?.labels ?? []), ...TARGET_LABELS],
  };
}

describe('boards', () => {
  it('have unique uids', () => {
    const uids = boards.map(([, { uid }]) => uid);
    expect(uids).not.toHaveLength(0);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it.each(boards)('%s has unique panel ids and no two panels in one place', (_, board) => {
    const ids = board.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (__, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it.each(boards)('%s offers data source, run, set and window, from labels that exist', (_, board) => {
    expect(board.templating.list.map(({ name }) => name)).toEqual(['datasource', 'run', 'set', 'window']);
    for (const { query } of board.templating.list.filter(({ type }) => type === 'query')) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      expect(series(metric).labels).toContain(label);
      expect(series(metric).definition).toBeDefined();
    }
  });

  it.each(panels.map((panel): [string, Panel] => [panel.title, panel]))(
    'panel %s states its unit, says what it shows and asks the chosen data source',
    (_, panel) => {
      expect(panel.fieldConfig?.defaults.unit ?? '').not.toBe('');
      expect(panel.description ?? '').not.toBe('');
      expect(panel.targets ?? []).not.toHaveLength(0);
      for (const { uid } of [
        panel.datasource,
        ...(panel.targets ?? []).map(({ datasource }) => datasource),
      ].filter((source) => source !== undefined)) {
        expect(uid).toBe('${datasource}');
      }
    },
  );

  it('show what issue and operators ask for', () => {
    const used = new Set(
      targets.flatMap(([, { expr }]) => promqlUsage(expr).selectors.map(({ metric }) => metric)),
    );
    for (const metric of [
      'fidelis_agreement_ratio',
      'fidelis_predictive_kl_nats',
      'fidelis_ece_ratio',
      'fidelis_accuracy_ratio',
      ...Object.values(RELIABILITY_COUNTERS),
      'fidelis_student_wait_seconds_total',
      'fidelis_frames_published_total',
      'fidelis_frames_consumed_total',
      'fidelis_teacher_forward_seconds_total',
      'fidelis_redeliveries_total',
      'fidelis_dead_letters_total',
      'fidelis_event_loop_lag_seconds',
    ]) {
      expect(used).toContain(metric);
    }
  });
});

describe.each(targets)('query of %s', (_, target) => {
  it(`uses metrics of the catalogue with their own labels: ${target.expr}`, () => {
    const { selectors, grouping } = promqlUsage(target.expr);
    expect(selectors).not.toHaveLength(0);
    for (const { metric, labels } of selectors) {
      const { definition, labels: known } = series(metric);
      expect(definition, metric).toBeDefined();
      for (const label of [...labels, ...(grouping ?? [])])
        expect(known, `${metric}{${label}}`).toContain(label);
    }
  });

  it('takes rates of counters only, over $__rate_interval or the chosen window', () => {
    const { selectors, ranges } = promqlUsage(target.expr);
    for (const range of ranges) expect(['$__rate_interval', '$window']).toContain(range);
    if (ranges.length === 0) return;
    for (const { metric } of selectors) expect(series(metric).definition?.type).not.toBe('gauge');
  });

  it('names its series by labels that are left after aggregation', () => {
    const { selectors, grouping } = promqlUsage(target.expr);
    const left = grouping ?? selectors.flatMap(({ metric }) => series(metric).labels);
    const named = [...target.legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    for (const label of named) expect(left).toContain(label);
    expect(target.legendFormat).not.toBe('');
  });
});

describe('the check of queries', () => {
  it('refuses an expression that does not parse', () => {
    expect(() => promqlUsage('sum by ( (fidelis_runs)')).toThrow('does not parse');
    expect(() => promqlUsage('rate(fidelis_runs[$__rate_interval]')).toThrow('does not parse');
  });

  it('sees every metric, label and range of an expression', () => {
    expect(promqlUsage('sum by (x) (rate(a_total{b="c"}[$__rate_interval])) / on (x) d')).toEqual({
      selectors: [
        { metric: 'a_total', labels: ['b'] },
        { metric: 'd', labels: [] },
      ],
      grouping: expect.arrayContaining(['x']) as unknown,
      ranges: ['$__rate_interval'],
    });
  });
});

describe('provisioning of Grafana', () => {
  it('scrapes as often as Grafana believes, which decides $__rate_interval', () => {
    const { datasources } = readYaml(`${FOLDER}/provisioning/datasources/prometheus.yaml`) as {
      datasources: { jsonData: { timeInterval: string } }[];
    };
    const { global } = readYaml('deploy/generated/prometheus/prometheus.yaml') as {
      global: { scrape_interval: string };
    };
    expect(datasources.map(({ jsonData }) => jsonData.timeInterval)).toEqual([global.scrape_interval]);
  });
});
