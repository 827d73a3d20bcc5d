import { Inject, UseFilters } from '@nestjs/common';
import { Args, Context, ID, Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { DETAIL_LIMITS, FidelisError, metricsRpc } from '@fidelis/contracts';
import type { RequestContext } from '../graphql/request-context.js';
import { ResolverErrorsFilter } from '../graphql/resolver-errors.filter.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { ClassFigures, DisagreementMatrix, Reliability } from './evaluation-details.model.js';
import { evaluationView, type EvaluationView } from './evaluation-view.js';
import { Evaluation } from './evaluation.model.js';

const NO_DETAILS = 'Null for an evaluation that was made before this was kept.';

@Resolver(() => Evaluation)
@UseFilters(ResolverErrorsFilter)
export class EvaluationsResolver {
  constructor(@Inject(PlatformClient) private readonly platform: PlatformClient) {}

  @Query(() => Evaluation, {
    nullable: true,
    description: 'Fails with EVALUATION.NOT_FOUND if there is none of this id.',
  })
  async evaluation(
    @Args('id', { type: () => ID }) id: string,
    @Context() { correlationId }: RequestContext,
  ): Promise<EvaluationView> {
    return evaluationView(await this.platform.call(metricsRpc.evaluation, { id }, correlationId));
  }

  @ResolveField(() => Reliability, { nullable: true, description: `Reliability diagrams. ${NO_DETAILS}` })
  reliability(
    @Parent() { id }: EvaluationView,
    @Context() { lookups }: RequestContext,
  ): Promise<Reliability | null> {
    return lookups.evaluationDetail({ section: 'reliability', evaluationId: id });
  }

  @ResolveField(() => DisagreementMatrix, {
    nullable: true,
    description: `What the student makes of the teacher's classes, the most frequent first. ${NO_DETAILS}`,
  })
  async disagreement(
    @Parent() { id }: EvaluationView,
    @Args('first', {
      type: () => Int,
      defaultValue: 100,
      description: `Cells, at most ${DETAIL_LIMITS.cells}.`,
    })
    first: number,
    @Args('includeAgreement', {
      type: () => Boolean,
      defaultValue: false,
      description: 'With the cells where both predict the same class.',
    })
    includeAgreement: boolean,
    @Context() { lookups }: RequestContext,
  ): Promise<DisagreementMatrix | null> {
    assertBetween('first', first, 1, DETAIL_LIMITS.cells);
    const matrix = await lookups.evaluationDetail({
      section: 'disagreement',
      evaluationId: id,
      first,
      includeAgreement,
    });
    return matrix === null ? null : { ...matrix, truncated: matrix.total > matrix.cells.length };
  }

  @ResolveField(() => [ClassFigures], { nullable: true, description: `By class. ${NO_DETAILS}` })
  async perClass(
    @Parent() { id }: EvaluationView,
    @Args('from', { type: () => Int, defaultValue: 0, description: 'The first class that is wanted.' })
    from: number,
    @Args('first', {
      type: () => Int,
      defaultValue: DETAIL_LIMITS.classes,
      description: `Classes, at most ${DETAIL_LIMITS.classes}.`,
    })
    first: number,
    @Context() { lookups }: RequestContext,
  ): Promise<readonly ClassFigures[] | null> {
    assertBetween('from', from, 0, Number.MAX_SAFE_INTEGER);
    assertBetween('first', first, 1, DETAIL_LIMITS.classes);
    const detail = await lookups.evaluationDetail({ section: 'perClass', evaluationId: id, from, first });
    return detail === null ? null : detail.perClass;
  }
}

/** @throws FidelisError REQUEST.INVALID */
function assertBetween(field: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const problem = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `from ${least} to ${most}`;
  throw new FidelisError('REQUEST.INVALID', `${field} is ${value}: it must be ${problem}`, {
    details: { issues: [{ field, problem: `must be ${problem}` }] },
  });
}
