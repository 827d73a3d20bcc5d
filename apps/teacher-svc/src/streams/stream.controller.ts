import { Controller, Inject } from '@nestjs/common';
import {
  FidelisError,
  isGiven,
  teacherRpc,
  type StreamDetails,
  type StreamRecord,
  type RpcRequest,
  type RpcResponse,
  streamRpc,
} from '@fidelis/contracts';
import { LogitLog, OnRpc } from '@fidelis/bus';
import { otherRefs } from '@fidelis/data';
import { DatasetCopies } from '@fidelis/service';
import { PredictionTables } from '../scoring/prediction-tables.js';
import { ScoringLoop } from '../scoring/scoring-loop.js';
import { TeacherRepository } from '../teachers/teacher.repository.js';
import { PositionBoard } from './position-board.js';
import { streamDetails } from './stream-details.js';
import { answers, coversSplit, newStream, toStreamRecord } from './stream-records.js';
import { StreamKeeper } from './stream-keeper.js';
import { StreamQuota } from './stream-quota.js';
import { StreamRepository } from './stream.repository.js';

@Controller()
export class StreamController {
  constructor(
    @Inject(TeacherRepository) private readonly teachers: TeacherRepository,
    @Inject(StreamRepository) private readonly streams: StreamRepository,
    @Inject(PredictionTables) private readonly tables: PredictionTables,
    @Inject(ScoringLoop) private readonly loop: ScoringLoop,
    @Inject(LogitLog) private readonly log: LogitLog,
    @Inject(PositionBoard) private readonly board: PositionBoard,
    @Inject(StreamKeeper) private readonly keeper: StreamKeeper,
    @Inject(StreamQuota) private readonly quota: StreamQuota,
    @Inject(DatasetCopies) private readonly datasets: DatasetCopies,
  ) {}

  @OnRpc(streamRpc.open)
  async open(request: RpcRequest<typeof streamRpc.open>): Promise<StreamRecord> {
    const teacher = await this.teachers.get(request.teacherId);
    await this.datasets.ensure([request.view.dataset, ...otherRefs(request.view)]);
    const wanted = newStream(teacher, request, new Date());
    this.quota.checkFits(wanted, wanted.steps);
    const stream = await this.streams.openFor(wanted, request.runId);
    // Students may read at once: what is not there yet is waited for, a stream that is not there is an error.
    if (stream.publishedSteps === 0) await this.log.ensure(stream.key);
    const mended = await this.keeper.mend(stream.key);
    // A run's student is compared with its teacher on these sooner or later; the training split costs nothing where the stream has it.
    if (!isGiven(teacher.spec) || answers(teacher.spec, 'test')) await this.tables.ask(teacher.id, 'test');
    if (coversSplit(stream.view) && (!isGiven(teacher.spec) || answers(teacher.spec, stream.view.split))) {
      await this.tables.ask(teacher.id, stream.view.split);
    }
    this.loop.look(teacher.id);
    return toStreamRecord(mended ?? stream);
  }

  @OnRpc(streamRpc.release)
  async release({
    runId,
  }: RpcRequest<typeof streamRpc.release>): Promise<RpcResponse<typeof streamRpc.release>> {
    await this.streams.release(runId, new Date());
    this.loop.turn();
    return {};
  }

  @OnRpc(streamRpc.get)
  async get({ key }: RpcRequest<typeof streamRpc.get>): Promise<StreamDetails> {
    const row = await this.streams.get(key);
    const runs = await this.streams.runsOn(key);
    await this.board.refresh(runs.map(({ runId }) => runId));
    return streamDetails(row, await this.log.info(key), runs, this.board.positionOf);
  }

  @OnRpc(streamRpc.list)
  async list(): Promise<RpcResponse<typeof streamRpc.list>> {
    const rows = await this.streams.list();
    const runs = await this.streams.runs();
    const logs = await this.log.list();
    const byKey = new Map(logs.map((log) => [log.key, log]));
    const { positionOf } = this.board;
    const { quotaBytes } = this.quota;
    const storedBytes = logs.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      streams: rows.map((row) => streamDetails(row, byKey.get(row.key), runs.get(row.key) ?? [], positionOf)),
      usage: { storedBytes, quotaBytes },
    };
  }

  @OnRpc(streamRpc.remove)
  async remove({ key }: RpcRequest<typeof streamRpc.remove>): Promise<RpcResponse<typeof streamRpc.remove>> {
    const bytes = (await this.log.info(key))?.bytes ?? 0;
    await this.streams.remove(key, () => this.log.remove(key));
    return { key, bytes };
  }

  @OnRpc(teacherRpc.predictions)
  async predictions({
    teacherId,
    split,
  }: RpcRequest<typeof teacherRpc.predictions>): Promise<RpcResponse<typeof teacherRpc.predictions>> {
    const { spec, weightsDigest, members, classes } = await this.teachers.get(teacherId);
    if (isGiven(spec) && !answers(spec, split)) {
      throw new FidelisError(
        'TEACHER.FAILED',
        `teacher ${teacherId} has no logits of the split ${split} without augmentation, and no weights to compute them`,
        { details: { teacherId, split } },
      );
    }
    const table = await this.tables.ask(teacherId, split);
    if (table.artifact !== null && table.rows !== null && weightsDigest !== null) {
      return {
        state: 'ready',
        artifact: table.artifact,
        teacherDigest: weightsDigest,
        rows: table.rows,
        members,
        classes,
      };
    }
    const failure = this.loop.failureOf(teacherId);
    if (failure !== undefined) {
      throw new FidelisError(
        'TEACHER.FAILED',
        `the predictions of teacher ${teacherId} on ${split} could not be made: ${failure.message}`,
        { details: { teacherId, split, cause: failure.toWire() } },
      );
    }
    this.loop.turn();
    return { state: 'pending' };
  }
}
