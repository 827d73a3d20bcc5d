import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import type {
  ClassFiguresRecord,
  DetailOf,
  DisagreementCell,
  ReliabilityBinRecord,
} from '@fidelis/contracts';

@ObjectType({ description: 'One bar of a reliability diagram.' })
export class ReliabilityBin implements ReliabilityBinRecord {
  @Field(() => Float, { description: 'Lower edge of the confidence, float32.' })
  readonly lower!: number;

  @Field(() => Float, {
    description:
      'Upper edge; equal to the lower one in the bin that `torchmetrics` has for a confidence of exactly 1.',
  })
  readonly upper!: number;

  @Field(() => Int, { description: 'Samples.' })
  readonly count!: number;

  @Field(() => Float, { nullable: true, description: 'Mean confidence, 0…1. Null in an empty bin.' })
  readonly confidence!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of right predictions, 0…1. Null in an empty bin.',
  })
  readonly accuracy!: number | null;
}

@ObjectType({ description: 'Top-1 confidence against how often it is right, by rising confidence.' })
export class Reliability implements Omit<DetailOf<'reliability'>, 'section'> {
  @Field(() => [ReliabilityBin], { description: 'Of the teacher against the labels.' })
  readonly teacher!: ReliabilityBin[];

  @Field(() => [ReliabilityBin], { description: 'Of the student against the labels.' })
  readonly student!: ReliabilityBin[];

  @Field(() => [ReliabilityBin], {
    description: "Of the student against the teacher's class: `accuracy` is the agreement.",
  })
  readonly fidelity!: ReliabilityBin[];
}

@ObjectType({ description: 'A filled cell of the disagreement matrix.' })
export class DisagreementCount implements DisagreementCell {
  @Field(() => Int, { description: 'The class that the teacher predicts, from 0.' })
  readonly teacher!: number;

  @Field(() => Int, { description: 'The class that the student predicts, from 0.' })
  readonly student!: number;

  @Field(() => Int, { description: 'Samples.' })
  readonly count!: number;
}

@ObjectType({ description: "How often which class of the teacher's became which of the student's." })
export class DisagreementMatrix implements Omit<DetailOf<'disagreement'>, 'section'> {
  @Field(() => Int, { description: 'Rows and columns of the whole matrix.' })
  readonly classes!: number;

  @Field(() => Int, {
    description:
      'Cells with at least one sample, also those not given here; without the diagonal unless it was asked for.',
  })
  readonly total!: number;

  @Field(() => [DisagreementCount], {
    description: "Largest count first; equal ones by the teacher's, then the student's class.",
  })
  readonly cells!: DisagreementCount[];

  @Field(() => Boolean, { description: 'True if there are more cells than `first`.' })
  readonly truncated!: boolean;
}

@ObjectType({ description: 'The samples with one label.' })
export class LabelledClass {
  @Field(() => Int, { description: 'Samples with this label.' })
  readonly count!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of them on which both predict the same class, 0…1. Null if there are none.',
  })
  readonly agreement!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of them on which the teacher is right, 0…1. Null if there are none.',
  })
  readonly teacherAccuracy!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of them on which the student is right, 0…1. Null if there are none.',
  })
  readonly studentAccuracy!: number | null;
}

@ObjectType({ description: 'What concerns one class.' })
export class ClassFigures implements ClassFiguresRecord {
  @Field(() => Int, { description: 'From 0.' })
  readonly class!: number;

  @Field(() => Int, { description: 'Samples that the teacher takes for this class.' })
  readonly teacherPredicted!: number;

  @Field(() => Int, { description: 'Samples that the student takes for this class.' })
  readonly studentPredicted!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'Of the samples that the teacher takes for it, the share that the student does too, 0…1. Null if there are none.',
  })
  readonly agreement!: number | null;

  @Field(() => LabelledClass)
  readonly labels!: LabelledClass;
}
