import { Controller, Inject } from '@nestjs/common';
import { DeadLetterQueue, JobQueue, OnRpc, RunPositions } from '@fidelis/bus';
import { jobRpc, trainJob, type DeadLetter, type RpcRequest, type RpcResponse } from '@fidelis/contracts';
import { jobRecord } from './job-list.js';
import { LetterRedrive } from './letter-redrive.js';

/** The queue of trainings, and what was set aside. */
@Controller()
export class JobController {
  constructor(
    @Inject(JobQueue) private readonly jobs: JobQueue,
    @Inject(RunPositions) private readonly positions: RunPositions,
    @Inject(DeadLetterQueue) private readonly letters: DeadLetterQueue,
    @Inject(LetterRedrive) private readonly redrive: LetterRedrive,
  ) {}

  @OnRpc(jobRpc.list)
  async list(): Promise<RpcResponse<typeof jobRpc.list>> {
    const [jobs, positions, queues] = await Promise.all([
      this.jobs.list(trainJob),
      this.positions.list(),
      this.jobs.depths(trainJob),
    ]);
    return { jobs: jobs.map((job) => jobRecord(job, positions.get(job.id))), queues: [...queues] };
  }

  @OnRpc(jobRpc.deadLetters)
  async deadLetters(
    request: RpcRequest<typeof jobRpc.deadLetters>,
  ): Promise<RpcResponse<typeof jobRpc.deadLetters>> {
    const { letters, ...page } = await this.letters.list(request);
    return { letters: [...letters], ...page };
  }

  @OnRpc(jobRpc.redrive)
  sendAgain({ id }: RpcRequest<typeof jobRpc.redrive>): Promise<DeadLetter> {
    return this.redrive.redrive(id);
  }

  @OnRpc(jobRpc.discard)
  async discard({ id }: RpcRequest<typeof jobRpc.discard>): Promise<DeadLetter> {
    const letter = await this.letters.get(id);
    await this.letters.remove(id);
    return letter;
  }
}
