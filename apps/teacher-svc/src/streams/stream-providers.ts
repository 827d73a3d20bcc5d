import type { Provider } from '@nestjs/common';
import { ArtifactStore, LogitLog, RpcClient, RunPositions } from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { DataSource } from 'typeorm';
import type { TeacherConfig } from '../config.js';
import { PredictionTables } from '../scoring/prediction-tables.js';
import { TeacherRepository } from '../teachers/teacher.repository.js';
import { PositionBoard } from './position-board.js';
import { StreamKeeper } from './stream-keeper.js';
import { StreamLeases } from './stream-leases.js';
import { StreamOverseer } from './stream-overseer.js';
import { StreamQuota } from './stream-quota.js';
import { StreamRepository } from './stream.repository.js';

/** What looks after streams, wired. */
export function streamProviders(config: TeacherConfig): Provider[] {
  return [
    {
      provide: StreamRepository,
      inject: [DataSource, Outbox],
      useFactory: (dataSource: DataSource, outbox: Outbox) => new StreamRepository(dataSource, outbox),
    },
    {
      provide: StreamLeases,
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => new StreamLeases(dataSource, config.FIDELIS_INSTANCE),
    },
    {
      provide: PositionBoard,
      inject: [RunPositions],
      useFactory: (positions: RunPositions) => new PositionBoard(positions),
    },
    {
      provide: StreamQuota,
      inject: [LogitLog, StreamRepository, PositionBoard, LOGGER],
      useFactory: (log: LogitLog, streams: StreamRepository, board: PositionBoard, logger: Logger) =>
        new StreamQuota(log, streams, board.positionOf, config.FIDELIS_STREAM_QUOTA_BYTES, logger),
    },
    {
      provide: StreamKeeper,
      inject: [
        LogitLog,
        StreamRepository,
        PositionBoard,
        StreamQuota,
        TeacherRepository,
        ArtifactStore,
        LOGGER,
      ],
      useFactory: (
        log: LogitLog,
        streams: StreamRepository,
        board: PositionBoard,
        quota: StreamQuota,
        teachers: TeacherRepository,
        artifacts: ArtifactStore,
        logger: Logger,
      ) =>
        new StreamKeeper({
          ...{ log, streams, board, quota, logger },
          missingWeights: async (teacherId) => {
            const digests = (await teachers.find(teacherId))?.memberWeights ?? [];
            const stored = await Promise.all(digests.map((digest) => artifacts.has(digest)));
            return digests.filter((_, index) => stored[index] === false);
          },
        }),
    },
    {
      provide: StreamOverseer,
      inject: [
        StreamRepository,
        PredictionTables,
        StreamKeeper,
        StreamQuota,
        RpcClient,
        MetricsRegistry,
        LOGGER,
      ],
      useFactory: (
        streams: StreamRepository,
        tables: PredictionTables,
        keeper: StreamKeeper,
        quota: StreamQuota,
        rpc: RpcClient,
        metrics: MetricsRegistry,
        logger: Logger,
      ) =>
        new StreamOverseer({
          ...{ streams, tables, keeper, quota, rpc, metrics, logger },
          instance: config.FIDELIS_INSTANCE,
        }),
    },
  ];
}
