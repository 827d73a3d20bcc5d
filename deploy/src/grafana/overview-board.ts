import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  IntervalVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { MetricName } from '@fidelis/observability';
import { calibrationRow } from './calibration-row.js';
import { fidelityRow } from './fidelity-row.js';
import { healthRow } from './health-row.js';
import { DATASOURCE, seriesPanel } from './panels.js';
import { reliabilityDiagram } from './reliability-diagram.js';
import { streamRow } from './stream-row.js';
import { trainingRow } from './training-row.js';

const ROWS = [fidelityRow, calibrationRow, trainingRow, streamRow, healthRow];

const WINDOWS = ['5m', '15m', '1h', '6h', '1d', '7d'];
const DEFAULT_WINDOW = '1h';

export function overviewBoard(): Dashboard {
  const board = new DashboardBuilder('Fidelis: overview')
    .uid('fidelis-overview')
    .description('Fidelity of the students, their training, the logit streams and the health of the services')
    .tags(['fidelis'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .type('prometheus')
        .allowCustomValue(false),
    )
    .withVariable(labelVariable('run', 'Run', 'fidelis_training_step'))
    .withVariable(labelVariable('set', 'Set', 'fidelis_agreement_ratio'))
    .withVariable(
      new IntervalVariableBuilder('window')
        .label('Window')
        .description('Over how long the calibration row adds up evaluations')
        .values(WINDOWS.join(','))
        .options(
          WINDOWS.map((window) => ({ text: window, value: window, selected: window === DEFAULT_WINDOW })),
        )
        .current({ selected: true, text: DEFAULT_WINDOW, value: DEFAULT_WINDOW }),
    );
  let id = 0;
  for (const row of ROWS) {
    board.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) {
      board.withPanel('queries' in panel ? seriesPanel(panel, ++id) : reliabilityDiagram(panel, ++id));
    }
  }
  return board.build();
}

/** All is `.*` and not the list of the values: a run whose training series are gone still has its evaluations. */
function labelVariable(label: string, title: string, metric: MetricName): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(title)
    .datasource(DATASOURCE)
    .query(`label_values(${metric}, ${label})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' });
}
