import type { ComputeDevice } from './backend-report.js';

/** Seconds from some moment on: the difference of two readings counts. */
export type ComputeClock = () => number;

/**
 * What computing costs. On processors it is the time that this process has had of them, all threads together: it does not grow when others
 * want the same processor. A GPU's share of a process nobody tells: there it is the time that passes.
 */
export function computeClock({ kind }: ComputeDevice): ComputeClock {
  if (kind === 'gpu') return () => performance.now() / 1_000;
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
}
