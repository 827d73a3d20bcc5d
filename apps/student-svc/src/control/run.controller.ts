import { Controller, Inject } from '@nestjs/common';
import {
  FidelisError,
  garbageRpc,
  otherDatasets,
  runRpc,
  teacherRpc,
  type DatasetRef,
  type ExperimentSpec,
  type Garbage,
  type RunRecord,
  type RpcRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import { OnRpc, RpcClient } from '@fidelis/bus';
import { datasetRefOf } from '@fidelis/data';
import { checkSpec, checkTeacher, ofField } from './check-spec.js';
import { GarbageCollection } from './garbage-collection.js';
import { newRun, newRunId, toRecord } from './run-creation.js';
import { RunLoop } from './run-loop.js';
import { RunRemoval } from './run-removal.js';
import { RunRepository } from './run.repository.js';
import { isEnded } from './run-transitions.js';

@Controller()
export class RunController {
  constructor(
    @Inject(RunRepository) private readonly runs: RunRepository,
    @Inject(RunLoop) private readonly loop: RunLoop,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(RunRemoval) private readonly removal: RunRemoval,
    @Inject(GarbageCollection) private readonly garbage: GarbageCollection,
  ) {}

  @OnRpc(runRpc.start)
  async start({ spec, correlationId }: RpcRequest<typeof runRpc.start>): Promise<RunRecord> {
    const info = await checkSpec(spec);
    const dataset = await datasetRefOf(spec.dataset);
    await this.checkNamedTeacher(spec, dataset, correlationId);
    const others = await Promise.all(otherDatasets(spec.view).map(datasetRefOf));
    const row = newRun(newRunId(), spec, { dataset, info, others }, correlationId, new Date());
    await this.runs.create(row);
    this.loop.look(row.id);
    return toRecord(row);
  }

  /** A teacher that is named by its id is there, or the run is none. */
  private async checkNamedTeacher(
    spec: ExperimentSpec,
    dataset: DatasetRef,
    correlationId: string,
  ): Promise<void> {
    if (!('id' in spec.teacher)) return;
    const { id } = spec.teacher;
    const teacher = await this.rpc.call(teacherRpc.get, { id }, { correlationId }).catch((error: unknown) => {
      throw ofField('teacher.id', error);
    });
    checkTeacher(spec, teacher, dataset.digest);
  }

  @OnRpc(runRpc.get)
  async get({ id }: RpcRequest<typeof runRpc.get>): Promise<RunRecord> {
    return toRecord(await this.runs.get(id));
  }

  @OnRpc(runRpc.list)
  async list({
    first,
    after,
    ...filter
  }: RpcRequest<typeof runRpc.list>): Promise<RpcResponse<typeof runRpc.list>> {
    const { rows, hasMore, total } = await this.runs.list(filter, first, after);
    return { runs: rows.map(toRecord), hasMore, total };
  }

  @OnRpc(runRpc.remove)
  async remove({ id }: RpcRequest<typeof runRpc.remove>): Promise<RpcResponse<typeof runRpc.remove>> {
    await this.removal.remove(id);
    return { id };
  }

  @OnRpc(garbageRpc.collect)
  collect(request: RpcRequest<typeof garbageRpc.collect>): Promise<Garbage> {
    return this.garbage.collect(request);
  }

  @OnRpc(runRpc.cancel)
  async cancel({ id }: RpcRequest<typeof runRpc.cancel>): Promise<RunRecord> {
    const found = await this.runs.get(id);
    if (isEnded(found)) {
      throw new FidelisError('RUN.ALREADY_ENDED', `run ${id} is ${found.state}: there is nothing to cancel`, {
        details: { id, state: found.state },
      });
    }
    const row = await this.runs.change(id, (current) => {
      current.plan = { ...current.plan, cancelRequested: true };
      return { visible: false };
    });
    this.loop.look(id);
    return toRecord(row ?? found);
  }
}
