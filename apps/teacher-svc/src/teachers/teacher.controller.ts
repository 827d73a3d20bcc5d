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
import { GivenTeachers } from './given-teachers.js';
import { toTeacherRecord } from './teacher-records.js';
import { TeacherRepository } from './teacher.repository.js';
import { TeacherService } from './teacher.service.js';

@Controller()
export class TeacherController {
  constructor(
    @Inject(TeacherService) private readonly service: TeacherService,
    @Inject(TeacherRepository) private readonly teachers: TeacherRepository,
    @Inject(GivenTeachers) private readonly given: GivenTeachers,
  ) {}

  @OnRpc(teacherRpc.ensure)
  async ensure(request: RpcRequest<typeof teacherRpc.ensure>): Promise<TeacherRecord> {
    const row =
      request.kind === 'id'
        ? await this.teachers.get(request.id)
        : await this.service.ensure(request.spec, request.correlationId);
    return toTeacherRecord(row);
  }

  @OnRpc(teacherRpc.provide)
  async provide(request: RpcRequest<typeof teacherRpc.provide>): Promise<TeacherRecord> {
    return toTeacherRecord(await this.given.provide(request));
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
