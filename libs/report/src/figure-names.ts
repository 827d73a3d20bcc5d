import type { FidelityFigures } from './evaluation-document.js';
import type { ModelFigures } from './report-model.js';

export type FigureUnit = 'share' | 'nats' | 'number';

export interface FigureName<Key> {
  readonly key: Key;
  readonly label: string;
  readonly unit: FigureUnit;
  /** What it is, in a sentence with its formula. t and s are the teacher's and the student's probabilities, y the label. */
  readonly definition: string;
}

/** In the order in which they are shown. */
export const FIDELITY_FIGURES: readonly FigureName<keyof FidelityFigures>[] = [
  {
    key: 'top1Agreement',
    label: 'top-1 agreement',
    unit: 'share',
    definition:
      'Share of samples on which teacher and student predict the same class: mean of [argmax t = argmax s].',
  },
  {
    key: 'top5Agreement',
    label: 'top-5 agreement',
    unit: 'share',
    definition:
      "Share of samples whose teacher's prediction is among the student's five most probable classes.",
  },
  {
    key: 'agreementTeacherRight',
    label: 'agreement, teacher right',
    unit: 'share',
    definition: 'Top-1 agreement over the samples on which the teacher predicts the label.',
  },
  {
    key: 'agreementTeacherWrong',
    label: 'agreement, teacher wrong',
    unit: 'share',
    definition:
      'Top-1 agreement over the samples on which the teacher does not: how many of its mistakes the student has learnt.',
  },
  {
    key: 'cohenKappa',
    label: "Cohen's kappa",
    unit: 'number',
    definition:
      'Agreement beyond chance: (a − e) / (1 − e), a the top-1 agreement and e what two independent models with the same predicted-class frequencies would have. 1 is full agreement, 0 chance.',
  },
  {
    key: 'predictiveKl',
    label: 'predictive KL(t ‖ s)',
    unit: 'nats',
    definition:
      'Mean over samples of Σ_c t_c log(t_c / s_c), in nats. 0 only where the distributions are equal.',
  },
  {
    key: 'reverseKl',
    label: 'reverse KL(s ‖ t)',
    unit: 'nats',
    definition: 'Mean over samples of Σ_c s_c log(s_c / t_c), in nats.',
  },
  {
    key: 'jensenShannon',
    label: 'Jensen–Shannon',
    unit: 'nats',
    definition: 'Mean of ½ KL(t ‖ m) + ½ KL(s ‖ m) with m = (t + s) / 2, in nats: 0 to ln 2 ≈ 0.693.',
  },
  {
    key: 'totalVariation',
    label: 'total variation',
    unit: 'number',
    definition:
      'Mean of ½ Σ_c |t_c − s_c|: the largest difference of probability that the two give any set of classes.',
  },
];

/** In the order in which they are shown; p is the probability of the predicted class (the confidence). */
export const GENERALISATION_FIGURES: readonly FigureName<keyof ModelFigures>[] = [
  {
    key: 'accuracy',
    label: 'accuracy',
    unit: 'share',
    definition: 'Share of samples whose prediction is the label.',
  },
  {
    key: 'nll',
    label: 'NLL',
    unit: 'nats',
    definition: 'Negative log-likelihood: mean of −log p(y), in nats.',
  },
  {
    key: 'brier',
    label: 'Brier score',
    unit: 'number',
    definition:
      'Mean of Σ_c (p_c − [c = y])², summed over classes: 0 (certain and right) to 2 (certain and wrong).',
  },
  {
    key: 'ece',
    label: 'ECE',
    unit: 'number',
    definition:
      'Expected calibration error: Σ_b (n_b / N) |accuracy_b − confidence_b| over equal-width bins of the confidence.',
  },
  {
    key: 'mce',
    label: 'MCE',
    unit: 'number',
    definition: 'The largest |accuracy_b − confidence_b| of the same bins.',
  },
  {
    key: 'rmsce',
    label: 'RMS calibration error',
    unit: 'number',
    definition: '√ Σ_b (n_b / N) (accuracy_b − confidence_b)² over the same bins.',
  },
  {
    key: 'eceEqualMass',
    label: 'ECE, equal mass',
    unit: 'number',
    definition: 'ECE over bins that hold equally many samples.',
  },
  {
    key: 'classwiseEce',
    label: 'classwise ECE',
    unit: 'number',
    definition: "The ECE of each class's own probability as a forecast of that class, averaged over classes.",
  },
  {
    key: 'eceDebiased',
    label: 'ECE, debiased',
    unit: 'number',
    definition:
      'ECE less the part that the finite number of samples per bin adds on average. Noise can bring it below 0.',
  },
  {
    key: 'smoothEce',
    label: 'smooth ECE',
    unit: 'number',
    definition:
      'ECE without bins: residuals smoothed by a reflected Gaussian whose width equals the result (smECE).',
  },
  {
    key: 'nullEce',
    label: 'null ECE',
    unit: 'number',
    definition:
      'The ECE that a perfectly calibrated model with these confidences would show by chance. An ECE near it is no evidence of miscalibration.',
  },
  {
    key: 'temperature',
    label: 'best temperature',
    unit: 'number',
    definition:
      'The T for which softmax(z / T) has the least NLL. Above 1 the model is overconfident, below 1 underconfident.',
  },
  {
    key: 'eceAfter',
    label: 'ECE at that temperature',
    unit: 'number',
    definition: 'The ECE of softmax(z / T) at the best temperature.',
  },
];
