import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import type { EvaluationRecord } from '@fidelis/contracts';
import type { FidelityView, GeneralisationView } from './evaluation-view.js';

const NOT_MEASURED = 'Null if it was not measured when the evaluation was made.';
const BINNED = 'Over `bins` bins of equal width in `convention`.';

/** Figures over bins that both kinds of calibration have. */
@ObjectType({ isAbstract: true })
abstract class BinnedFigures {
  @Field(() => Float, {
    nullable: true,
    description: `Maximum calibration error: the largest |accuracy − confidence| of a bin, 0…1. ${BINNED} ${NOT_MEASURED}`,
  })
  readonly mce!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Root-mean-square calibration error, 0…1. ${BINNED} ${NOT_MEASURED}`,
  })
  readonly rmsce!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `rmsce less the bias of finite bins (Kumar et al. 2019), 0…1. ${NOT_MEASURED}`,
  })
  readonly rmsceDebiased!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `ece less its bias (Kumar et al. 2019), at most ece; noise can bring it below 0. ${NOT_MEASURED}`,
  })
  readonly eceDebiased!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `The ECE that a perfectly calibrated model with this confidence histogram shows by chance, 0…1. ${NOT_MEASURED}`,
  })
  readonly nullEce!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Mean over the classes of the ECE of the probability of that class, 0…1. ${BINNED} ${NOT_MEASURED}`,
  })
  readonly classwiseEce!: number | null;
}

@ObjectType({
  description:
    "Calibration of the student's top-1 confidence, with the teacher's class in the place of the label.",
})
export class FidelityCalibration extends BinnedFigures implements NonNullable<FidelityView['calibration']> {
  @Field(() => Float, {
    nullable: true,
    description: `Expected |agreement − confidence|, 0…1. ${BINNED} ${NOT_MEASURED}`,
  })
  readonly ece!: number | null;
}

@ObjectType({ description: 'How well the student matches its teacher.' })
export class FidelityFigures implements FidelityView {
  @Field(() => Float, { description: 'Share of the samples on which both predict the same class, 0…1.' })
  readonly top1Agreement!: number;

  @Field(() => Float, {
    nullable: true,
    description: `Share of the samples whose class by the teacher is among the student's \`topK\` most probable, 0…1. ${NOT_MEASURED}`,
  })
  readonly top5Agreement!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: `k of top5Agreement and top5Accuracy: 5. ${NOT_MEASURED}`,
  })
  readonly topK!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      "Mean KL divergence of the student's prediction from the teacher's, KL(teacher‖student) at temperature 1, in nats, at least 0. Null if infinite.",
  })
  readonly predictiveKl!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Mean KL(student‖teacher), in nats, at least 0. Null if infinite. ${NOT_MEASURED}`,
  })
  readonly reverseKl!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Mean Jensen–Shannon divergence, in nats, 0…ln 2. ${NOT_MEASURED}`,
  })
  readonly jensenShannon!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Mean total variation distance, half the sum of |p − q|, 0…1. ${NOT_MEASURED}`,
  })
  readonly totalVariation!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Cohen's kappa, agreement beyond chance: 1 for full agreement, 0 for chance. Null if both predict one and the same class throughout. ${NOT_MEASURED}`,
  })
  readonly cohenKappa!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Share of agreement among the samples on which the teacher is right, 0…1. Null if there are none. ${NOT_MEASURED}`,
  })
  readonly agreementTeacherRight!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Share of agreement among the samples on which the teacher is wrong, 0…1. Null if there are none. ${NOT_MEASURED}`,
  })
  readonly agreementTeacherWrong!: number | null;

  @Field(() => FidelityCalibration, { nullable: true, description: NOT_MEASURED })
  readonly calibration!: FidelityCalibration | null;
}

type Murphy = NonNullable<GeneralisationView['murphy']>;

@ObjectType({
  description:
    "Murphy's decomposition of the Brier score: brier = reliability − resolution + uncertainty, but for what varies within bins.",
})
export class BrierDecomposition implements Murphy {
  @Field(() => Float, { description: '0 for a calibrated model; smaller is better.' })
  readonly reliability!: number;

  @Field(() => Float, { description: 'How far the bins tell cases apart; larger is better.' })
  readonly resolution!: number;

  @Field(() => Float, { description: 'Of the labels alone.' })
  readonly uncertainty!: number;
}

type EceVariant = EvaluationRecord['student']['eceVariants'][number];

@ObjectType({ description: 'One ECE with all that it depends on.' })
export class NamedEce implements EceVariant {
  @Field(() => Int, { description: 'Bins of equal width.' })
  readonly bins!: number;

  @Field(() => String, { description: '`torchmetrics`: [lo, hi); `gnosis`: (lo, hi].' })
  readonly convention!: EceVariant['convention'];

  @Field(() => Float, { description: '0…1.' })
  readonly ece!: number;
}

@ObjectType({
  description: 'How well a model predicts the labels, and how far its confidence can be trusted.',
})
export class GeneralisationFigures extends BinnedFigures implements GeneralisationView {
  @Field(() => Float, { description: 'Share of the samples whose most probable class is the label, 0…1.' })
  readonly accuracy!: number;

  @Field(() => Float, {
    nullable: true,
    description: `Share of the samples whose label is among the \`fidelity.topK\` most probable classes, 0…1. ${NOT_MEASURED}`,
  })
  readonly top5Accuracy!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      "Negative log-likelihood: the mean of −log of the label's probability, in nats, at least 0. Null if infinite.",
  })
  readonly nll!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: `Brier score, the mean squared distance from the label summed over the classes, 0…2. ${NOT_MEASURED}`,
  })
  readonly brier!: number | null;

  @Field(() => BrierDecomposition, { nullable: true, description: NOT_MEASURED })
  readonly murphy!: BrierDecomposition | null;

  @Field(() => Float, {
    description: `Expected calibration error: the mean of |accuracy − confidence|, weighted by the bins' samples, 0…1. ${BINNED}`,
  })
  readonly ece!: number;

  @Field(() => [NamedEce], {
    description: 'The ECE over 10 and 15 bins in both conventions; empty if it was not measured.',
  })
  readonly eceVariants!: NamedEce[];
}
