import type { SortedConfidences } from './sorted-confidences.js';

export interface SmoothCalibration {
  /** smECE, 0…1. */
  readonly smoothEce: number;
  /** The bandwidth σ* that it was found at, a multiple of 2⁻¹⁰. */
  readonly bandwidth: number;
}

const LEAST_BANDWIDTH = 1e-3;
const HALVINGS = 10;
const MESH_POINTS = 200;
const DENSITY_FLOOR = 1e-4;

/**
 * Smooth calibration error (Błasiok & Nakkiran 2023), by the algorithm of relplot 1.0: the residuals confidence − correct are smoothed
 * by a Gaussian of width σ reflected at 0 and 1, smECE_σ = Σ_t |r_σ(t)| d_σ(t) / Σ_t d_σ(t) over a mesh of [0, 1], where r_σ is the
 * smoothed residual per density d_σ. σ* is the smallest width with smECE_σ ≤ σ, found by ten halvings of [0, 1]; the result is
 * smECE at σ*. There is no bin to choose, and it changes continuously with the confidences. The grid and mesh make it exact to about
 * 1e-3 of the integral that it stands for; against relplot it is exact. Full pass.
 */
export function smoothCalibrationError(samples: SortedConfidences): SmoothCalibration {
  const error = (bandwidth: number): number => smoothedError(samples, bandwidth);
  const wideEnough = (bandwidth: number): boolean =>
    bandwidth < LEAST_BANDWIDTH || bandwidth < error(bandwidth);
  // relplot's search: it moves the end of the interval where the predicate holds to the middle.
  let start = 1;
  if (!wideEnough(1)) {
    let end = 0;
    for (let step = 0; step < HALVINGS; step++) {
      const middle = (start + end) / 2;
      if (wideEnough(middle)) end = middle;
      else start = middle;
    }
  }
  return { smoothEce: error(start), bandwidth: start };
}

function smoothedError(samples: SortedConfidences, bandwidth: number): number {
  const grid = Math.floor(Math.max(2000, roundHalfEven(20 / bandwidth)) / 2) + 1;
  const residuals = new Float64Array(grid);
  const ones = new Float64Array(grid);
  spread(samples.right, -1, residuals, ones);
  spread(samples.wrong, 0, residuals, ones);
  const smoothResiduals = reflectedGaussian(residuals, bandwidth);
  const density = reflectedGaussian(ones, bandwidth);
  const mesh = Math.max(roundHalfEven(10 / bandwidth), MESH_POINTS);
  let weighted = 0;
  let total = 0;
  for (let point = 0; point < mesh; point++) {
    const at = point / (mesh - 1);
    const mass = interpolate(density, at) + DENSITY_FLOOR;
    weighted += Math.abs(interpolate(smoothResiduals, at) / mass) * mass;
    total += mass;
  }
  return weighted / total;
}

/** Shares each sample between the two grid points next to it, weighted by confidence + offset and by 1. */
function spread(
  confidences: Float64Array,
  offset: number,
  residuals: Float64Array,
  ones: Float64Array,
): void {
  const steps = residuals.length - 1;
  for (const confidence of confidences) {
    const cell = Math.min(Math.max(0, Math.trunc(confidence * steps)), steps - 1);
    const upper = confidence * steps - cell;
    const residual = confidence + offset;
    residuals[cell] = (residuals[cell] ?? 0) + (1 - upper) * residual;
    residuals[cell + 1] = (residuals[cell + 1] ?? 0) + upper * residual;
    ones[cell] = (ones[cell] ?? 0) + (1 - upper);
    ones[cell + 1] = (ones[cell + 1] ?? 0) + upper;
  }
}

/** Convolution of grid values over [0, 1] with a Gaussian density, mirrored at both ends. */
function reflectedGaussian(values: Float64Array, bandwidth: number): Float64Array {
  const points = values.length;
  const last = points - 1;
  const half = Math.floor(points / 2);
  const kernel = Float64Array.from({ length: points }, (_, index) => {
    const distance = index / last - 0.5;
    return Math.exp(-(distance * distance) / (2 * bandwidth ** 2)) / (Math.sqrt(2 * Math.PI) * bandwidth);
  });
  // Weights that are exactly 0 at the ends of the kernel are left out: far from its middle exp() underflows.
  const first = kernel.findIndex((weight) => weight > 0);
  // values[last], …, values[1], values[0], …, values[last], values[last − 1], …, values[0]
  const mirrored = Float64Array.from({ length: 3 * points - 2 }, (_, index) => {
    const source = Math.abs(index - last);
    return values[source > last ? 2 * last - source : source] ?? 0;
  });
  const smooth = new Float64Array(points);
  for (let index = 0; index < points; index++) {
    let sum = 0;
    for (let tap = first; tap < points - first; tap++) {
      sum += (kernel[tap] ?? 0) * (mirrored[index + half + last - tap] ?? 0);
    }
    smooth[index] = sum;
  }
  return smooth;
}

/** Linear between grid values over [0, 1]. */
function interpolate(values: Float64Array, at: number): number {
  const cells = values.length - 1;
  const size = 1 / cells;
  const cell = Math.min(Math.trunc(at * cells), cells - 1);
  const upper = (at - cell * size) / size;
  return (values[cell] ?? 0) * (1 - upper) + (values[cell + 1] ?? 0) * upper;
}

/** Python's `round`: halves go to the even neighbour, which decides the size of the mesh. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
