import { UseFilters } from '@nestjs/common';
import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { evaluationSets, FidelisError, type RunRecord, type TeacherRecord } from '@fidelis/contracts';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { Teacher } from '../teachers/teacher.model.js';
import { evaluationView, type EvaluationView } from './evaluation-view.js';
import { Evaluation } from './evaluation.model.js';
import { Run } from './run.model.js';

/** What belongs to a run and is another service's: asked for once for all runs of a request. */
@Resolver(() => Run)
@UseFilters(ResolverErrorsFilter)
export class RunFieldsResolver {
  @ResolveField(() => Teacher, { nullable: true, description: 'Null until it is known.' })
  async teacher(
    @Parent() run: RunRecord,
    @Context() { lookups }: RequestContext,
  ): Promise<TeacherRecord | null> {
    const { teacherId } = run.lineage;
    return teacherId === null ? null : lookups.teacher(teacherId);
  }

  @ResolveField(() => [Evaluation], { description: 'By step and set.' })
  async evaluations(
    @Parent() run: RunRecord,
    @Args('set', {
      type: () => String,
      nullable: true,
      description: 'Only those on this set: `test` or `train-clean`.',
    })
    set: string | null | undefined,
    @Context() { lookups }: RequestContext,
  ): Promise<readonly EvaluationView[]> {
    if (set != null) assertKnownSet(set);
    const evaluations = await lookups.evaluationsOf(run.id);
    const wanted = set == null ? evaluations : evaluations.filter((evaluation) => evaluation.set === set);
    return wanted.map(evaluationView);
  }
}

/** @throws FidelisError REQUEST.INVALID */
function assertKnownSet(set: string): void {
  const known: readonly string[] = evaluationSets;
  if (known.includes(set)) return;
  throw new FidelisError('REQUEST.INVALID', `there is no set "${set}": choose from ${known.join(', ')}`, {
    details: { issues: [{ field: 'set', problem: `choose from ${known.join(', ')}` }] },
  });
}
