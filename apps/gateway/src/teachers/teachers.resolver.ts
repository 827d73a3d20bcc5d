import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Query, Resolver } from '@nestjs/graphql';
import { teacherRpc, type TeacherRecord } from '@fidelis/contracts';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { Teacher } from './teacher.model.js';

@Resolver()
@UseFilters(ResolverErrorsFilter)
export class TeachersResolver {
  constructor(@Inject(PlatformClient) private readonly platform: PlatformClient) {}

  @Query(() => [Teacher])
  async teachers(@Context() { correlationId }: RequestContext): Promise<readonly TeacherRecord[]> {
    const { teachers } = await this.platform.call(teacherRpc.list, {}, correlationId);
    return teachers;
  }

  @Query(() => Teacher, {
    nullable: true,
    description: 'Fails with TEACHER.NOT_FOUND if there is none of this id.',
  })
  teacher(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<TeacherRecord> {
    return this.platform.call(teacherRpc.get, { id }, correlationId);
  }
}
