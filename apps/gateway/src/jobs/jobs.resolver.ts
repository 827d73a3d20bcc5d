import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import {
  GARBAGE_GRACE_SECONDS,
  garbageRpc,
  jobRpc,
  runRpc,
  type DeadLetter,
  type Garbage,
  type RpcResponse,
} from '@fidelis/contracts';
import { MAX_PAGE_SIZE } from '../graphql/document-limits.js';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { DeadLetterInfo, DeadLetterPage, GarbageInfo, JobList } from './job.model.js';

/** What operators look after: the queue, what was set aside, what is left over. */
@Resolver()
@UseFilters(ResolverErrorsFilter)
export class JobsResolver {
  constructor(@Inject(PlatformClient) private readonly platform: PlatformClient) {}

  @Query(() => JobList)
  jobs(@Context() { correlationId }: RequestContext): Promise<RpcResponse<typeof jobRpc.list>> {
    return this.platform.call(jobRpc.list, {}, correlationId);
  }

  @Query(() => DeadLetterPage)
  deadLetters(
    @Args('first', { type: () => Int, defaultValue: 50, description: `At most ${MAX_PAGE_SIZE}.` })
    first: number,
    @Args('after', { type: () => ID, nullable: true, description: 'Id of the last one of the page before.' })
    after: string | null | undefined,
    @Context() { correlationId }: RequestContext,
  ): Promise<RpcResponse<typeof jobRpc.deadLetters>> {
    return this.platform.call(
      jobRpc.deadLetters,
      { first, ...(after == null ? {} : { after }) },
      correlationId,
    );
  }

  @Mutation(() => DeadLetterInfo, {
    description:
      'Has it handled again: a run that it ended goes on from its last checkpoint. Fails with DEADLETTER.NOT_FOUND.',
  })
  redriveDeadLetter(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<DeadLetter> {
    return this.platform.call(jobRpc.redrive, { id }, correlationId);
  }

  @Mutation(() => DeadLetterInfo, { description: 'Throws it away. Fails with DEADLETTER.NOT_FOUND.' })
  discardDeadLetter(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<DeadLetter> {
    return this.platform.call(jobRpc.discard, { id }, correlationId);
  }

  @Mutation(() => ID, {
    description:
      'Removes a run that has ended, with its evaluations. Fails with RUN.NOT_FOUND, RUN.NOT_ENDED.',
  })
  async removeRun(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<string> {
    return (await this.platform.call(runRpc.remove, { id }, correlationId)).id;
  }

  @Mutation(() => GarbageInfo, {
    description: 'Removes streams, checkpoints and artifacts that nothing refers to.',
  })
  collectGarbage(
    @Args('dryRun', { type: () => Boolean, defaultValue: true, description: 'Only say what it would be.' })
    dryRun: boolean,
    @Args('olderThanSeconds', {
      type: () => Int,
      defaultValue: GARBAGE_GRACE_SECONDS,
      description: 'What is younger stays: its record may be on the way.',
    })
    olderThanSeconds: number,
    @Context() { correlationId }: RequestContext,
  ): Promise<Garbage> {
    return this.platform.call(garbageRpc.collect, { dryRun, olderThanSeconds }, correlationId);
  }
}
