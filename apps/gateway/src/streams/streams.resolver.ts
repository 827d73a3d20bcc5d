import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { streamRpc, type StreamUsage, type TeacherRecord } from '@fidelis/contracts';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { Teacher } from '../teachers/teacher.model.js';
import { LogitStream, RemovedStream, streamView, StreamUsageInfo, type StreamView } from './stream.model.js';

@Resolver(() => LogitStream)
@UseFilters(ResolverErrorsFilter)
export class StreamsResolver {
  constructor(@Inject(PlatformClient) private readonly platform: PlatformClient) {}

  @Query(() => [LogitStream], { description: 'Newest first.' })
  async streams(@Context() { correlationId }: RequestContext): Promise<readonly StreamView[]> {
    const { streams } = await this.platform.call(streamRpc.list, {}, correlationId);
    return streams.map(streamView);
  }

  @Query(() => LogitStream, {
    nullable: true,
    description: 'Fails with STREAM.NOT_FOUND if there is none of this key.',
  })
  async stream(
    @Args('key', { type: () => ID }) key: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<StreamView> {
    return streamView(await this.platform.call(streamRpc.get, { key }, correlationId));
  }

  @Query(() => StreamUsageInfo)
  async streamUsage(@Context() { correlationId }: RequestContext): Promise<StreamUsage> {
    return (await this.platform.call(streamRpc.list, {}, correlationId)).usage;
  }

  @Mutation(() => RemovedStream, { description: 'Fails with STREAM.IN_USE if a run reads it.' })
  removeStream(
    @Args('key', { type: () => ID }) key: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<RemovedStream> {
    return this.platform.call(streamRpc.remove, { key }, correlationId);
  }

  @ResolveField(() => Teacher, { nullable: true })
  teacher(
    @Parent() { teacherId }: StreamView,
    @Context() { lookups }: RequestContext,
  ): Promise<TeacherRecord | null> {
    return lookups.teacher(teacherId);
  }
}
