import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { teacherRpc, type Split, type TeacherRecord } from '@fidelis/contracts';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { ArchiveFileInput, Teacher, TeacherPredictions } from './teacher.model.js';
import { Split as SplitName } from './split.model.js';

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

  @Query(() => TeacherPredictions, {
    description:
      'Has them computed, if they are not there. Fails with TEACHER.FAILED where nothing is known of the split.',
  })
  async teacherPredictions(
    @Args('teacherId', { type: () => ID }) teacherId: string,
    @Args('split', { type: () => SplitName }) split: Split,
    @Context() { correlationId }: RequestContext,
  ): Promise<TeacherPredictions> {
    const answer = await this.platform.call(teacherRpc.predictions, { teacherId, split }, correlationId);
    return { artifact: answer.state === 'ready' ? answer.artifact : null };
  }

  @Mutation(() => Teacher, {
    description:
      'The teacher of an exported stream, whose files are artifacts. Fails with ARCHIVE.INVALID or ARCHIVE.MISMATCH where they are not what their manifest says, or of other data.',
  })
  importStream(
    @Args('files', { type: () => [ArchiveFileInput] }) files: ArchiveFileInput[],
    @Context() { correlationId }: RequestContext,
  ): Promise<TeacherRecord> {
    const plain = files.map(({ file, digest }) => ({ file, digest }));
    return this.platform.call(teacherRpc.import, { files: plain, correlationId }, correlationId);
  }
}
