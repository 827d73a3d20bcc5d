import { ArgsType, Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { RunState as RunStateName } from '@fidelis/contracts';
import { Run, RunState } from './run.model.js';
import type { PageArguments } from './run-page.js';

@ObjectType()
export class RunEdge {
  @Field(() => String)
  readonly cursor!: string;

  @Field(() => Run)
  readonly node!: Run;
}

@ObjectType()
export class PageInfo {
  @Field(() => Boolean)
  readonly hasNextPage!: boolean;

  @Field(() => String, { nullable: true })
  readonly endCursor!: string | null;
}

@ObjectType({ description: 'A page of runs, newest first.' })
export class RunConnection {
  @Field(() => [RunEdge])
  readonly edges!: RunEdge[];

  @Field(() => PageInfo)
  readonly pageInfo!: PageInfo;

  @Field(() => Int, { description: 'Runs that match the filter, on all pages.' })
  readonly totalCount!: number;
}

@InputType({ description: 'All that is given must match.' })
export class RunFilter {
  @Field(() => RunState, { nullable: true })
  readonly state?: RunStateName | null;

  @Field(() => String, { nullable: true })
  readonly name?: string | null;

  @Field(() => ID, { nullable: true })
  readonly teacherId?: string | null;
}

@ArgsType()
export class RunsArguments implements PageArguments {
  @Field(() => RunFilter, { nullable: true })
  readonly filter?: RunFilter | null;

  @Field(() => Int, { defaultValue: 20, description: 'At most 200.' })
  readonly first!: number;

  @Field(() => String, { nullable: true, description: 'Cursor of the run before the page.' })
  readonly after?: string | null;
}
