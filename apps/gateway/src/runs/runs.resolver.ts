import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { experimentSpecSchema, parseStrict, runRpc, type RunRecord } from '@fidelis/contracts';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import type { RequestContext } from '../graphql/request-context.js';
import { JsonScalar } from '../graphql/scalars.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { RunConnection, RunsArguments } from './run-connection.model.js';
import { pageRequest, runPage, type RunPage } from './run-page.js';
import { Run } from './run.model.js';

@Resolver()
@UseFilters(ResolverErrorsFilter)
export class RunsResolver {
  constructor(@Inject(PlatformClient) private readonly platform: PlatformClient) {}

  @Query(() => RunConnection, { description: 'Newest first.' })
  async runs(@Args() page: RunsArguments, @Context() { correlationId }: RequestContext): Promise<RunPage> {
    return runPage(await this.platform.call(runRpc.list, pageRequest(page), correlationId));
  }

  @Query(() => Run, { nullable: true, description: 'Fails with RUN.NOT_FOUND if there is none of this id.' })
  run(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<RunRecord> {
    return this.platform.call(runRpc.get, { id }, correlationId);
  }

  @Mutation(() => Run, {
    description: 'Fails with SPEC.INVALID and details.issues [{ field, problem }] if the spec is not one.',
  })
  startRun(
    @Args('spec', {
      type: () => JsonScalar,
      description: 'An experiment spec: docs/schemas/experiment.schema.json.',
    })
    spec: unknown,
    @Context() { correlationId }: RequestContext,
  ): Promise<RunRecord> {
    const complete = parseStrict(experimentSpecSchema, spec, 'SPEC.INVALID');
    return this.platform.call(runRpc.start, { spec: complete, correlationId }, correlationId);
  }

  @Mutation(() => Run, { description: 'Fails with RUN.ALREADY_ENDED if it has ended by itself.' })
  cancelRun(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<RunRecord> {
    return this.platform.call(runRpc.cancel, { id }, correlationId);
  }
}
