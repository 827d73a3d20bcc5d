import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Resolver, Subscription } from '@nestjs/graphql';
import type { RunRecord } from '@fidelis/contracts';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { RunProgressService } from './run-progress.service.js';
import { Run } from './run.model.js';

@Resolver()
@UseFilters(ResolverErrorsFilter)
export class RunProgressResolver {
  constructor(@Inject(RunProgressService) private readonly progress: RunProgressService) {}

  @Subscription(() => Run, {
    description:
      'The run as it is now, then after each change; completes when the run has ended. A reader that is too slow gets ' +
      'the newest states and misses older ones.',
    resolve: (run: RunRecord) => run,
  })
  runProgress(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<AsyncIterableIterator<RunRecord>> {
    return this.progress.follow(id, correlationId);
  }
}
