import { Controller, Inject } from '@nestjs/common';
import {
  teacherRpc,
  trainingEvents,
  type TeacherRecord,
  type TrainingProgress,
  type EventPayload,
  type RpcRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import { OnEvent, OnRpc } from '@fidelis/bus';
import { DatasetCopies } from '@fidelis/service';
import { GivenTeachers } from './given-teachers.js';
import { ImportedTeachers } from './imported-teachers.js';
import { toTeacherRecord } from './teacher-records.js';
import { TeacherRepository } from './teacher.repository.js';
import { TeacherService } from './teacher.service.js';

@Controller()
export class TeacherController {
  constructor(
    @Inject(TeacherService) private readonly service: TeacherService,
    @Inject(TeacherRepository) private readonly teachers: TeacherRepository,
    @Inject(GivenTeachers) private readonly given: GivenTeachers,
    @Inject(ImportedTeachers) private readonly imported: ImportedTeachers,
    @Inject(DatasetCopies) private readonly datasets: DatasetCopies,
  ) {}

  @OnRpc(teacherRpc.ensure)
  async ensure(request: RpcRequest<typeof teacherRpc.ensure>): Promise<TeacherRecord> {
    if (request.kind === 'id') return toTeacherRecord(await this.teachers.get(request.id));
    const { spec, correlationId } = request;
    await this.datasets.ensure([spec.dataset]);
    return toTeacherRecord(await this.service.ensure(spec, correlationId));
  }

  @OnRpc(teacherRpc.provide)
  async provide(request: RpcRequest<typeof teacherRpc.provide>): Promise<TeacherRecord> {
    return toTeacherRecord(await this.given.provide(request));
  }

  @OnRpc(teacherRpc.import)
  async import(request: RpcRequest<typeof teacherRpc.import>): Promise<TeacherRecord> {
    return toTeacherRecord(await this.imported.import(request));
  }

  @OnRpc(teacherRpc.get)
  async get({ id }: RpcRequest<typeof teacherRpc.get>): Promise<TeacherRecord> {
    return toTeacherRecord(await this.teachers.get(id));
  }

  @OnRpc(teacherRpc.list)
  async list(): Promise<RpcResponse<typeof teacherRpc.list>> {
    return { teachers: (await this.teachers.list()).map(toTeacherRecord) };
  }

  @OnEvent(trainingEvents.progress, { durable: 'teacher-svc' })
  async progressed(report: TrainingProgress): Promise<void> {
    await this.service.progressed(report);
  }

  @OnEvent(trainingEvents.finished, { durable: 'teacher-svc' })
  async finished({
    runId,
    kind,
    token,
    result,
  }: EventPayload<typeof trainingEvents.finished>): Promise<void> {
    if (kind === 'teacher') await this.service.reported(runId, token, result);
  }
}
