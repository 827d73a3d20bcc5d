/** What a test tells the table at the end of the faults. */
export interface FaultOutcome {
  readonly fault: string;
  readonly of: string;
  /** Where in the run's progress it was struck. */
  readonly at: string;
  readonly outcome: string;
  readonly attempts: number | null;
  /** From the start of the run to its end. */
  readonly seconds: number | null;
}

declare module 'vitest' {
  interface TaskMeta {
    fault?: FaultOutcome;
  }
}
