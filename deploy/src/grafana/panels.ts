import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
  type DataSourceRef,
} from '@grafana/grafana-foundation-sdk/common';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The board's datasource variable: a board must not know the name of anybody's Prometheus. */
export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** Matches the runs and sets that are chosen at the top of the board. */
export const CHOSEN_RUNS = 'run=~"$run"';
export const CHOSEN_SETS = 'set=~"$set"';

/** The board's variable: over how long errors are taken from counters. */
export const WINDOW = '$window';

/** Grafana's grid has 24 columns; three panels make a line. */
export const PANEL_COLUMNS = 8;
export const PANEL_ROWS = 8;

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface SeriesPanel {
  readonly title: string;
  readonly description: string;
  /** Id of a Grafana unit, or `suffix:` and the text to put behind the figure. */
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
}

/** Bars of accuracy and mean confidence by bin. */
export interface ReliabilityDiagram {
  readonly title: string;
  readonly description: string;
  /** The label `model` of the counters. */
  readonly reliabilityOf: 'teacher' | 'student' | 'fidelity';
}

export interface BoardRow {
  readonly title: string;
  readonly panels: readonly (SeriesPanel | ReliabilityDiagram)[];
}

/** `id` is unique on the board and stays with the panel as long as the order does: links to a panel carry it. */
export function seriesPanel(panel: SeriesPanel, id: number): Builder<Panel> {
  const builder = new PanelBuilder()
    .id(id)
    .title(panel.title)
    .description(panel.description)
    .datasource(DATASOURCE)
    .unit(panel.unit)
    .span(PANEL_COLUMNS)
    .height(PANEL_ROWS)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(panel.queries.map(target));
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  return builder;
}

function target(query: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(query.expr)
    .legendFormat(query.legend)
    .range();
}
