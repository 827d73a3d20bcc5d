import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import type { EvaluationRecord } from '@fidelis/contracts';
import { DateTimeScalar } from '../graphql/scalars.js';
import { FidelityFigures, GeneralisationFigures } from './evaluation-figures.model.js';
import type { EvaluationView } from './evaluation-view.js';

@ObjectType({ description: 'The metrics of one teacher and student, on one set, at one step.' })
export class Evaluation implements EvaluationView {
  @Field(() => ID, { description: '`<run>.<set>.<step>`' })
  readonly id!: string;

  @Field(() => ID, { description: "The student's run." })
  readonly runId!: string;

  @Field(() => ID, { description: 'Whom the student is compared with.' })
  readonly teacherId!: string;

  @Field(() => String, { description: '`test`, or `train-clean`: training inputs without augmentation.' })
  readonly set!: EvaluationRecord['set'];

  @Field(() => Int, { description: 'Training steps that the student had made.' })
  readonly step!: number;

  @Field(() => Int, { description: 'Epochs that the student had made.' })
  readonly epoch!: number;

  @Field(() => Boolean, { description: 'True for the finished student.' })
  readonly final!: boolean;

  @Field(() => Int, { description: 'Samples.' })
  readonly n!: number;

  @Field(() => Int, { description: 'Classes that both tell apart.' })
  readonly classes!: number;

  @Field(() => Int, { description: 'Bins of every figure over bins but `eceVariants`.' })
  readonly bins!: number;

  @Field(() => String, {
    description:
      'Which bin a confidence on an edge belongs to: `torchmetrics` [lo, hi) or `gnosis` (lo, hi].',
  })
  readonly convention!: EvaluationRecord['convention'];

  @Field(() => FidelityFigures, { description: 'The student against its teacher.' })
  readonly fidelity!: FidelityFigures;

  @Field(() => GeneralisationFigures, { description: 'The teacher against the labels.' })
  readonly teacher!: GeneralisationFigures;

  @Field(() => GeneralisationFigures, { description: 'The student against the labels.' })
  readonly student!: GeneralisationFigures;

  @Field(() => [String], {
    description: 'Paths of the figures that are infinite, and therefore null, like `student.nll`.',
  })
  readonly infinite!: string[];

  @Field(() => DateTimeScalar, { description: 'When the last predictions were scored.' })
  readonly createdAt!: string;
}
