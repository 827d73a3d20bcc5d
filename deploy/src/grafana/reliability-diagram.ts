import { PanelBuilder } from '@grafana/grafana-foundation-sdk/barchart';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  LegendDisplayMode,
  LegendPlacement,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PercentUnit } from '@grafana/grafana-foundation-sdk/units';
import { calibrationQueries } from '../prometheus/calibration-queries.js';
import {
  CHOSEN_RUNS,
  CHOSEN_SETS,
  DATASOURCE,
  PANEL_COLUMNS,
  PANEL_ROWS,
  WINDOW,
  type ReliabilityDiagram,
} from './panels.js';

/**
 * Accuracy beside mean confidence of each bin, of all chosen runs together over the window that ends at the end of the board's time
 * range. Both queries are answered at the same time stamp, so that `merge` makes one row of each bin.
 */
export function reliabilityDiagram(
  { title, description, reliabilityOf }: ReliabilityDiagram,
  id: number,
): Builder<Panel> {
  const scope = {
    window: WINDOW,
    by: ['bins'],
    matchers: [`model="${reliabilityOf}"`, CHOSEN_RUNS, CHOSEN_SETS],
  };
  return new PanelBuilder()
    .id(id)
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(PercentUnit)
    .decimals(1)
    .min(0)
    .max(1)
    .span(PANEL_COLUMNS)
    .height(PANEL_ROWS)
    .showValue(VisibilityMode.Never)
    .xField('bin')
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .targets([
      table('A', calibrationQueries.binAccuracy(scope), '{{bin}} accuracy'),
      table('B', calibrationQueries.binConfidence(scope), '{{bin}} confidence'),
    ])
    .transformations([
      { id: 'merge', options: {} },
      { id: 'sortBy', options: { sort: [{ field: 'bin' }] } },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true, bins: true },
          renameByName: { 'Value #A': 'accuracy', 'Value #B': 'mean confidence' },
        },
      },
    ]);
}

function table(refId: string, expr: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(refId)
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend)
    .format(PromQueryFormat.Table)
    .instant();
}
