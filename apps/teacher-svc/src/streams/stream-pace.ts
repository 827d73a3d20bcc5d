import type { ViewSpec } from '@fidelis/contracts';
import { fastestStep, type PositionOf, type Reader } from './run-needs.js';

export interface PacedStream {
  readonly kind: ViewSpec['kind'];
  readonly steps: number;
}

/**
 * The step before which a stream may be produced now. A sequence stays within `leadSteps` of the fastest of its runs: one that lags or is late never
 * starves the others, a dead one holds nobody. A table is small and read whole before the first step: it is not paced.
 */
export function paceLimit(
  { kind, steps }: PacedStream,
  readers: readonly Reader[],
  positionOf: PositionOf,
  leadSteps: number,
): number {
  if (readers.length === 0) return 0;
  if (kind === 'table') return steps;
  return Math.min(steps, fastestStep(readers, positionOf) + 1 + leadSteps);
}

/**
 * Steps that must be free before a stream that has reached its lead goes on, so that its teacher works in bursts: one that follows its runs step
 * by step finds its caches cold each time, and wakes broker and students for single frames. Most of the lead stays stored, so no run waits for it.
 */
export function burstSteps(leadSteps: number): number {
  return Math.max(1, Math.floor(leadSteps / 4));
}
