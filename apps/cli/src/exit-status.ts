import { FidelisError, isBadInput } from '@fidelis/contracts';

export const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Thrown (as the abort reason) where a person or the system asked the command to end. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor(readonly signalName: NodeJS.Signals) {
    super('interrupted');
  }
}

/** The one mapper of this edge. */
export function exitStatusOf(error: unknown): ExitStatus {
  if (error instanceof InterruptedError) return EXIT.interrupted;
  return isBadInput(FidelisError.from(error).code) ? EXIT.badInput : EXIT.failed;
}
