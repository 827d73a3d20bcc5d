import { streamStates, type Split } from '@fidelis/contracts';
import type { RpcClient } from '@fidelis/bus';
import type { Logger, MetricsRegistry } from '@fidelis/observability';
import type { StreamWork, Work } from '../scoring/scoring-ports.js';
import type { PredictionTables } from '../scoring/prediction-tables.js';
import { endedRuns } from './ended-runs.js';
import type { StreamKeeper } from './stream-keeper.js';
import { isLeasedElsewhere } from './stream-leases.js';
import type { StreamQuota } from './stream-quota.js';
import type { StreamRepository } from './stream.repository.js';

/** How often runs are asked after that may have ended without anybody having said so. */
const SWEEP_EVERY_MS = 60_000;

export interface OverseerPorts {
  readonly streams: StreamRepository;
  readonly tables: Pick<PredictionTables, 'missing'>;
  readonly keeper: Pick<StreamKeeper, 'look'>;
  readonly quota: Pick<StreamQuota, 'usedBytes' | 'quotaBytes'>;
  readonly rpc: Pick<RpcClient, 'call'>;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  /** Of this replica. */
  readonly instance: string;
}

/** What is to be done about the streams: which are to be scored, which need mending, which runs are gone. */
export class StreamOverseer {
  private sweptAt = performance.now();

  constructor(private readonly ports: OverseerPorts) {}

  /** What there is to score, by teacher. */
  async work(): Promise<Map<string, Work>> {
    const { streams, tables, instance } = this.ports;
    const work = new Map<string, { streams: StreamWork[]; splits: Set<Split> }>();
    const of = (teacherId: string): { streams: StreamWork[]; splits: Set<Split> } => {
      const known = work.get(teacherId) ?? { streams: [], splits: new Set<Split>() };
      work.set(teacherId, known);
      return known;
    };
    const runs = await streams.runs();
    const now = new Date();
    for (const row of await streams.unfinished()) {
      const readers = runs.get(row.key);
      if (readers === undefined || isLeasedElsewhere(row, instance, now)) continue;
      of(row.teacherId).streams.push({ row, readers });
    }
    for (const { teacherId, split } of await tables.missing()) of(teacherId).splits.add(split);
    return work;
  }

  /** Looks after what is stored. @returns whether there is something new to score */
  async look(): Promise<boolean> {
    const mended = await this.ports.keeper.look();
    if (performance.now() - this.sweptAt > SWEEP_EVERY_MS) {
      this.sweptAt = performance.now();
      await this.sweep();
    }
    await this.count();
    return mended.length > 0;
  }

  /** Detaches runs that have ended, or do not exist: their release was lost. */
  async sweep(): Promise<void> {
    const { streams, rpc, logger } = this.ports;
    const attached = [...(await streams.runs()).values()].flat().map(({ runId }) => runId);
    for (const runId of await endedRuns([...new Set(attached)], rpc)) {
      logger.info({ runId }, 'a run that has ended is on its streams no more');
      await streams.release(runId, new Date());
    }
  }

  private async count(): Promise<void> {
    const { metrics, streams, quota } = this.ports;
    const counts = await streams.countByState();
    for (const state of streamStates) metrics.gauge('fidelis_streams').set({ state }, counts.get(state) ?? 0);
    const runs = [...(await streams.runs()).values()].flat();
    metrics.gauge('fidelis_stream_runs').set(runs.length);
    metrics.gauge('fidelis_stream_bytes').set(quota.usedBytes);
    metrics.gauge('fidelis_stream_quota_bytes').set(quota.quotaBytes ?? 0);
  }
}
