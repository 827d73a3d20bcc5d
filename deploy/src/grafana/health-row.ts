import { Seconds, Short } from '@grafana/grafana-foundation-sdk/units';
import { gauge, quantile, rate, total } from './metric-reference.js';
import type { BoardRow } from './panels.js';

/** Whether the services themselves are well. */
export const healthRow: BoardRow = {
  title: 'Services',
  panels: [
    {
      title: 'Redeliveries',
      description: 'Messages delivered again, per second. A blocked event loop shows here first.',
      unit: 'suffix: /s',
      min: 0,
      queries: [
        { expr: `sum by (job, kind) (${rate('fidelis_redeliveries_total')})`, legend: '{{job}} {{kind}}' },
      ],
    },
    {
      title: 'Dead letters',
      description:
        'Messages set aside with their reason since the service started. Anything above 0 wants a look.',
      unit: Short,
      decimals: 0,
      min: 0,
      queries: [
        {
          expr: `sum by (job, kind) (${total('fidelis_dead_letters_total')})`,
          legend: '{{job}} {{kind}}',
        },
      ],
    },
    {
      title: 'Event loop lag',
      description: '99th percentile since the last scrape.',
      unit: Seconds,
      min: 0,
      queries: [{ expr: gauge('fidelis_event_loop_lag_seconds'), legend: '{{job}} {{instance}}' }],
    },
    {
      title: 'Messages handled',
      description: 'Per second, by kind and outcome.',
      unit: 'suffix: /s',
      min: 0,
      queries: [
        {
          expr: `sum by (kind, outcome) (${rate('fidelis_bus_messages_total')})`,
          legend: '{{kind}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Calls of the gateway, p95',
      description: 'Duration of the calls that the gateway makes to the services.',
      unit: Seconds,
      min: 0,
      queries: [{ expr: quantile(0.95, 'fidelis_rpc_duration_seconds', ['method']), legend: '{{method}}' }],
    },
    {
      title: 'Bus reconnects',
      description: 'Connections to NATS that were lost and made again, per second.',
      unit: 'suffix: /s',
      min: 0,
      queries: [{ expr: `sum by (job) (${rate('fidelis_bus_reconnects_total')})`, legend: '{{job}}' }],
    },
  ],
};
