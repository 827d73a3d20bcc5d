import { BytesIEC, BytesPerSecondIEC, Short } from '@grafana/grafana-foundation-sdk/units';
import { rate } from './metric-reference.js';
import type { BoardRow } from './panels.js';

/** The logits on their way. */
export const streamRow: BoardRow = {
  title: 'Logit streams',
  panels: [
    {
      title: 'Frames published and consumed',
      description:
        'Distinct steps (or chunks of a table) per second. One published frame can be consumed by many students.',
      unit: 'suffix: /s',
      min: 0,
      queries: [
        {
          expr: `sum by (codec) (${rate('fidelis_frames_published_total')})`,
          legend: 'published {{codec}}',
        },
        { expr: `sum(${rate('fidelis_frames_consumed_total')})`, legend: 'consumed' },
      ],
    },
    {
      title: 'Teacher forward rate',
      description: 'Images per second of forward passes; publishing and waiting are not counted.',
      unit: 'suffix: img/s',
      min: 0,
      queries: [
        {
          expr: `sum(${rate('fidelis_teacher_rows_total')}) / sum(${rate('fidelis_teacher_forward_seconds_total')})`,
          legend: 'forward',
        },
      ],
    },
    {
      title: 'Bytes published',
      description: 'Bytes of logit frames that were stored, per second.',
      unit: BytesPerSecondIEC,
      min: 0,
      queries: [
        { expr: `sum by (codec) (${rate('fidelis_frame_bytes_published_total')})`, legend: '{{codec}}' },
      ],
    },
    {
      title: 'Room for streams',
      description: 'Bytes that all logit streams together take, and may take (0: without limit).',
      unit: BytesIEC,
      min: 0,
      queries: [
        { expr: 'max(fidelis_stream_bytes)', legend: 'stored' },
        { expr: 'max(fidelis_stream_quota_bytes)', legend: 'quota' },
      ],
    },
    {
      title: 'Streams that wait',
      description:
        'Streams that do not grow, on average: because their runs are behind (pace), or because there is no room (quota).',
      unit: Short,
      min: 0,
      queries: [
        {
          expr: `sum by (reason) (${rate('fidelis_teacher_wait_seconds_total')})`,
          legend: '{{reason}}',
        },
        { expr: 'max(fidelis_stream_runs)', legend: 'runs on streams' },
      ],
    },
  ],
};
