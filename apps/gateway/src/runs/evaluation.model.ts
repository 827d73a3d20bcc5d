import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import type { EvaluationRecord } from '@fidelis/contracts';
import { DateTimeScalar } from '../graphql/scalars.js';

@ObjectType({ description: 'How well the student matches its teacher.' })
export class FidelityFigures {
  @Field(() => Float, { description: 'Part of the samples on which both predict the same class.' })
  readonly top1Agreement!: number;

  @Field(() => Float, { description: "Mean KL divergence of the student's prediction from the teacher's." })
  readonly predictiveKl!: number;
}

@ObjectType({ description: 'How well a model predicts the labels.' })
export class GeneralisationFigures {
  @Field(() => Float)
  readonly accuracy!: number;

  @Field(() => Float)
  readonly nll!: number;

  @Field(() => Float)
  readonly ece!: number;
}

@ObjectType({ description: 'The metrics of one teacher and student, on one set, at one step.' })
export class Evaluation implements EvaluationRecord {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => ID)
  readonly runId!: string;

  @Field(() => ID)
  readonly teacherId!: string;

  @Field(() => String, { description: '`test`, or `train-clean`: training inputs without augmentation.' })
  readonly set!: EvaluationRecord['set'];

  @Field(() => Int)
  readonly step!: number;

  @Field(() => Int)
  readonly epoch!: number;

  @Field(() => Boolean, { description: 'True for the finished student.' })
  readonly final!: boolean;

  @Field(() => Int, { description: 'Samples.' })
  readonly n!: number;

  @Field(() => Int)
  readonly classes!: number;

  @Field(() => Int, { description: 'Bins of the ECE.' })
  readonly bins!: number;

  @Field(() => String, { description: 'Whose convention of the ECE.' })
  readonly convention!: EvaluationRecord['convention'];

  @Field(() => FidelityFigures)
  readonly fidelity!: FidelityFigures;

  @Field(() => GeneralisationFigures)
  readonly teacher!: GeneralisationFigures;

  @Field(() => GeneralisationFigures)
  readonly student!: GeneralisationFigures;

  @Field(() => DateTimeScalar)
  readonly createdAt!: string;
}
