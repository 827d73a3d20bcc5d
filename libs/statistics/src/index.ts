export {
  bootstrap,
  bootstrapSteps,
  BOOTSTRAP_METHODS,
  type BootstrapInterval,
  type BootstrapMethod,
  type BootstrapSettings,
} from './bootstrap.js';
export { bcaInterval, percentileInterval, quantile, type Bounds } from './bootstrap-interval.js';
export { benjaminiHochberg, holm } from './corrections.js';
export { discordantPairs, mcnemarTest, type DiscordantPairs, type McNemarResult } from './mcnemar.js';
export { erfc, normalCdf, normalQuantile } from './normal.js';
export {
  pairedPermutationSteps,
  pairedPermutationTest,
  type PermutationResult,
  type PermutationSettings,
} from './permutation-test.js';
export { drawResample } from './resampling.js';
export { functionalOf, meanOf, ratioOf, sharedOf, type ResampleCounts, type Statistic } from './statistic.js';
export { studentTCritical, studentTInterval, type RepeatedTrials } from './student-t.js';
export { threefry2x32, threefrySource, type UniformSource } from './uniform-source.js';
