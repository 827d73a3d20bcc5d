import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { BusModule, EventPublisher, JetStreamStrategy, OnRpc, type MessageContext } from '@fidelis/bus';
import {
  FidelisError,
  garbageRpc,
  jobRpc,
  metricsRpc,
  runEvents,
  runRpc,
  streamRpc,
  teacherRpc,
  type DeadLetter,
  type DetailSection,
  type EvaluationDetail,
  type EvaluationRecord,
  type ExperimentSpec,
  type Garbage,
  type RpcRequest,
  type RpcResponse,
  type RunRecord,
  type StreamDetails,
  type TeacherRecord,
} from '@fidelis/contracts';
import { deadLetter, jobRecord, runRecord } from '@fidelis/gateway/fixtures';

interface Call {
  readonly method: string;
  readonly request: unknown;
  readonly correlationId: string;
}

/** What the services behind the gateway know, and what they were asked. */
export class FakePlatform {
  readonly runs = new Map<string, RunRecord>();
  readonly teachers = new Map<string, TeacherRecord>();
  readonly streams = new Map<string, StreamDetails>();
  evaluations: EvaluationRecord[] = [];
  evaluationsPerAnswer = Infinity;
  detailsPerAnswer = Infinity;
  calls: Call[] = [];

  addRuns(...runs: readonly RunRecord[]): void {
    for (const run of runs) this.runs.set(run.id, run);
  }

  requests(method: string): unknown[] {
    return this.calls.filter((call) => call.method === method).map(({ request }) => request);
  }

  reset(): void {
    this.runs.clear();
    this.teachers.clear();
    this.streams.clear();
    this.evaluations = [];
    this.evaluationsPerAnswer = Infinity;
    this.detailsPerAnswer = Infinity;
    this.calls = [];
  }
}

function fakeController(platform: FakePlatform): new () => object {
  function note(method: string, request: unknown, { correlationId }: MessageContext): void {
    platform.calls.push({ method, request, correlationId });
  }
  function found(id: string): RunRecord {
    const run = platform.runs.get(id);
    if (run === undefined) throw new FidelisError('RUN.NOT_FOUND', `no run has the id ${id}`);
    return run;
  }

  @Controller()
  class FakeServices {
    @OnRpc(runRpc.start)
    start(request: { spec: ExperimentSpec; correlationId: string }, context: MessageContext): RunRecord {
      note('start', request, context);
      const run = runRecord({ id: 'r-new', state: 'preparing', spec: request.spec });
      platform.addRuns(run);
      return run;
    }

    @OnRpc(streamRpc.get)
    getStream({ key }: { key: string }, context: MessageContext): StreamDetails {
      note('getStream', { key }, context);
      const details = platform.streams.get(key);
      if (details === undefined)
        throw new FidelisError('STREAM.NOT_FOUND', `there is no logit stream ${key}`);
      return details;
    }

    @OnRpc(streamRpc.list)
    listStreams(_request: unknown, context: MessageContext): RpcResponse<typeof streamRpc.list> {
      note('listStreams', {}, context);
      return { streams: [...platform.streams.values()], usage: { storedBytes: 2_000, quotaBytes: null } };
    }

    @OnRpc(streamRpc.remove)
    removeStream({ key }: { key: string }, context: MessageContext): RpcResponse<typeof streamRpc.remove> {
      note('removeStream', { key }, context);
      const details = platform.streams.get(key);
      if (details === undefined)
        throw new FidelisError('STREAM.NOT_FOUND', `there is no logit stream ${key}`);
      if (details.runs.length > 0) throw new FidelisError('STREAM.IN_USE', `r-1 reads ${key}`);
      platform.streams.delete(key);
      return { key, bytes: details.storedBytes };
    }

    @OnRpc(jobRpc.list)
    jobs(_request: unknown, context: MessageContext): RpcResponse<typeof jobRpc.list> {
      note('jobs', {}, context);
      return { jobs: [jobRecord()], queues: [{ placement: 'cpu', waiting: 0, running: 1 }] };
    }

    @OnRpc(jobRpc.deadLetters)
    deadLetters(
      request: RpcRequest<typeof jobRpc.deadLetters>,
      context: MessageContext,
    ): RpcResponse<typeof jobRpc.deadLetters> {
      note('deadLetters', request, context);
      return { letters: [deadLetter()], hasMore: false, total: 1 };
    }

    @OnRpc(jobRpc.redrive)
    redrive({ id }: { id: string }, context: MessageContext): DeadLetter {
      note('redrive', { id }, context);
      if (id !== deadLetter().id)
        throw new FidelisError('DEADLETTER.NOT_FOUND', `there is no dead letter ${id}`);
      return deadLetter();
    }

    @OnRpc(jobRpc.discard)
    discard({ id }: { id: string }, context: MessageContext): DeadLetter {
      note('discard', { id }, context);
      return deadLetter();
    }

    @OnRpc(runRpc.remove)
    removeRun({ id }: { id: string }, context: MessageContext): { id: string } {
      note('remove', { id }, context);
      const { state } = found(id);
      if (state !== 'completed') throw new FidelisError('RUN.NOT_ENDED', `run ${id} is ${state}`);
      platform.runs.delete(id);
      return { id };
    }

    @OnRpc(garbageRpc.collect)
    collect(request: RpcRequest<typeof garbageRpc.collect>, context: MessageContext): Garbage {
      note('collect', request, context);
      return {
        streams: [{ key: '0123456789abcdef', bytes: 3e9 }],
        artifacts: [],
        positions: ['r-gone'],
        bytes: 3e9,
        removed: !request.dryRun,
      };
    }

    @OnRpc(runRpc.cancel)
    cancel({ id }: { id: string }, context: MessageContext): RunRecord {
      note('cancel', { id }, context);
      const run = { ...found(id), state: 'cancelled' as const };
      platform.addRuns(run);
      return run;
    }

    @OnRpc(runRpc.get)
    get({ id }: { id: string }, context: MessageContext): RunRecord {
      note('get', { id }, context);
      return found(id);
    }

    @OnRpc(runRpc.list)
    list(
      request: { first: number; after?: string | undefined },
      context: MessageContext,
    ): { runs: RunRecord[]; hasMore: boolean; total: number } {
      note('list', request, context);
      const all = [...platform.runs.values()];
      const from = request.after === undefined ? 0 : all.findIndex(({ id }) => id === request.after) + 1;
      const runs = all.slice(from, from + request.first);
      return { runs, hasMore: from + runs.length < all.length, total: all.length };
    }

    @OnRpc(teacherRpc.get)
    teacher({ id }: { id: string }, context: MessageContext): TeacherRecord {
      note('teacher', { id }, context);
      const teacher = platform.teachers.get(id);
      if (teacher === undefined) throw new FidelisError('TEACHER.NOT_FOUND', `no teacher has the id ${id}`);
      return teacher;
    }

    @OnRpc(teacherRpc.list)
    teachers(request: object, context: MessageContext): { teachers: TeacherRecord[] } {
      note('teachers', request, context);
      return { teachers: [...platform.teachers.values()] };
    }

    @OnRpc(metricsRpc.evaluations)
    evaluate(
      request: { runIds: string[]; after?: string | undefined },
      context: MessageContext,
    ): { evaluations: EvaluationRecord[]; next: string | null } {
      note('evaluations', request, context);
      const all = platform.evaluations.filter(({ runId }) => request.runIds.includes(runId));
      const from = request.after === undefined ? 0 : all.findIndex(({ id }) => id === request.after) + 1;
      const evaluations = all.slice(from, from + platform.evaluationsPerAnswer);
      const isLast = from + evaluations.length === all.length;
      return { evaluations, next: isLast ? null : (evaluations.at(-1)?.id ?? null) };
    }

    @OnRpc(metricsRpc.evaluationDetails)
    details(
      request: { sections: DetailSection[] },
      context: MessageContext,
    ): { details: (EvaluationDetail | null)[] } {
      note('evaluationDetails', request, context);
      const wanted = request.sections.slice(0, platform.detailsPerAnswer);
      return { details: wanted.map((section) => sampleDetail(section)) };
    }
  }
  return FakeServices;
}

/** Tells by its numbers what it was asked for. */
function sampleDetail(asked: DetailSection): EvaluationDetail | null {
  const step = Number(asked.evaluationId.split('.').at(-1));
  switch (asked.section) {
    case 'reliability': {
      const bins = [{ lower: 0, upper: 1, count: step, accuracy: null, confidence: null }];
      return { section: 'reliability', teacher: bins, student: bins, fidelity: bins };
    }
    case 'perClass':
      return { section: 'perClass', perClass: [] };
    case 'disagreement': {
      const cells = [{ teacher: 0, student: 1, count: step }];
      return { section: 'disagreement', classes: 10, total: asked.includeAgreement ? 2 : 1, cells };
    }
  }
}

export interface RunningFakes {
  publishChange(run: RunRecord): Promise<void>;
  stop(): Promise<void>;
}

/** Answers to the gateway over a real bus, as teacher-svc, student-svc and metrics-svc would. */
export async function startFakes(natsUrl: string, platform: FakePlatform): Promise<RunningFakes> {
  @Module({
    imports: [BusModule.forRootAsync({ useFactory: () => ({ servers: natsUrl, name: 'fake services' }) })],
    controllers: [fakeController(platform)],
  })
  class FakeModule {}

  const app = await NestFactory.create(FakeModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  app.connectMicroservice({ strategy: app.get(JetStreamStrategy) });
  await app.startAllMicroservices();
  await app.init();
  const publisher = app.get(EventPublisher);
  return {
    publishChange: (run) => publisher.publish(runEvents.changed, run.id, run),
    stop: () => app.close(),
  };
}
