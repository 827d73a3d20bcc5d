import type { ArtifactStore, LogitLog } from '@fidelis/bus';
import type { Split } from '@fidelis/contracts';
import type { Logger, MetricsRegistry } from '@fidelis/observability';
import type { DatasetCopies } from '@fidelis/service';
import type { TeacherConfig } from '../config.js';
import type { PositionBoard } from '../streams/position-board.js';
import type { Reader } from '../streams/run-needs.js';
import type { StreamRow } from '../streams/stream.entity.js';
import type { StreamLeases } from '../streams/stream-leases.js';
import type { StreamQuota } from '../streams/stream-quota.js';
import type { StreamRepository } from '../streams/stream.repository.js';
import type { PredictionTables } from './prediction-tables.js';
import type { ScorerProcess } from './scorer-process.js';

/** What scoring needs of the rest of the service. */
export interface ScoringPorts {
  readonly artifacts: Pick<ArtifactStore, 'get' | 'put' | 'stream'>;
  readonly log: Pick<LogitLog, 'append' | 'ensure' | 'steps'>;
  readonly streams: Pick<StreamRepository, 'change'>;
  readonly leases: Pick<StreamLeases, 'acquire' | 'renew' | 'release' | 'instance'>;
  readonly quota: Pick<StreamQuota, 'grant' | 'settle' | 'makeRoom' | 'quotaBytes' | 'usedBytes'>;
  readonly board: Pick<PositionBoard, 'positionOf'>;
  readonly tables: Pick<PredictionTables, 'store'>;
  readonly datasets: Pick<DatasetCopies, 'ensure'>;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  readonly config: TeacherConfig;
  readonly spawn: () => ScorerProcess;
}

/** A stream to be produced, and the runs on it. */
export interface StreamWork {
  readonly row: StreamRow;
  readonly readers: readonly Reader[];
}

/** What there is to score for one teacher, as the database has it. */
export interface Work {
  readonly streams: readonly StreamWork[];
  readonly splits: ReadonlySet<Split>;
}
