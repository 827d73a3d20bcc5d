import { Controller, Inject } from '@nestjs/common';
import {
  FidelisError,
  teacherRpc,
  type StreamDetails,
  type StreamRecord,
  type RpcRequest,
  type RpcResponse,
  streamRpc,
} from '@fidelis/contracts';
import { LogitLog, OnRpc, RunPositions } from '@fidelis/bus';
import { PredictionTables } from '../scoring/prediction-tables.js';
import { ScoringLoop } from '../scoring/scoring-loop.js';
import { TeacherRepository } from '../teachers/teacher.repository.js';
import type { PositionOf } from './run-needs.js';
import { streamDetails } from './stream-details.js';
import { coversSplit, newStream, toStreamRecord } from './stream-records.js';
import { StreamRepository } from './stream.repository.js';

@Controller()
export class StreamController {
  constructor(
    @Inject(TeacherRepository) private readonly teachers: TeacherRepository,
    @Inject(StreamRepository) private readonly streams: StreamRepository,
    @Inject(PredictionTables) private readonly tables: PredictionTables,
    @Inject(ScoringLoop) private readonly loop: ScoringLoop,
    @Inject(LogitLog) private readonly log: LogitLog,
    @Inject(RunPositions) private readonly positions: RunPositions,
  ) {}

  @OnRpc(streamRpc.open)
  async open(request: RpcRequest<typeof streamRpc.open>): Promise<StreamRecord> {
    const teacher = await this.teachers.get(request.teacherId);
    const stream = await this.streams.openFor(newStream(teacher, request, new Date()), request.runId);
    // Students may read at once: what is not there yet is waited for, a stream that is not there is an error.
    await this.log.ensure(stream.key);
    const checked = await this.reproduceIfLost(stream.key, stream.parts);
    // A run's student is compared with its teacher on these sooner or later; the training split costs nothing where the stream has it.
    await this.tables.ask(teacher.id, 'test');
    if (coversSplit(stream.view)) await this.tables.ask(teacher.id, stream.view.split);
    this.loop.look(teacher.id);
    return checked;
  }

  /** Frames can be gone (a new broker with an empty disk): the view is pure and the weights are kept, so they are made again. */
  private async reproduceIfLost(key: string, parts: number): Promise<StreamRecord> {
    const stored = (await this.log.lastStep(key, parts)) + 1;
    const row = await this.streams.change(key, (current) => {
      if (current.state !== 'complete' || stored >= current.steps) return false;
      Object.assign(current, { state: 'opening', publishedSteps: stored });
      return true;
    });
    return toStreamRecord(row ?? (await this.streams.get(key)));
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
    const log = await this.log.info(key);
    return streamDetails(row, log, runs, await this.positionsOf(runs));
  }

  @OnRpc(streamRpc.list)
  async list(): Promise<RpcResponse<typeof streamRpc.list>> {
    const rows = await this.streams.list();
    const runs = await this.streams.runs();
    const logs = new Map((await this.log.list()).map((log) => [log.key, log]));
    const positionOf = await this.positionsOf([...runs.values()].flat());
    const storedBytes = [...logs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      streams: rows.map((row) => streamDetails(row, logs.get(row.key), runs.get(row.key) ?? [], positionOf)),
      usage: { storedBytes, quotaBytes: null },
    };
  }

  private async positionsOf(runs: readonly { readonly runId: string }[]): Promise<PositionOf> {
    const ids = [...new Set(runs.map(({ runId }) => runId))];
    const found = await Promise.all(ids.map((id) => this.positions.read(id)));
    const known = new Map(ids.map((id, index) => [id, found[index]?.position]));
    return (runId) => known.get(runId);
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
    const { weightsDigest, members, classes } = await this.teachers.get(teacherId);
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
