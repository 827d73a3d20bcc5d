import type { Execution } from '@fidelis/contracts';

/** What of a training did not become a graph, and why. */
export class EagerReasons {
  /** Names of functions by the reason that they share. */
  private readonly names = new Map<string, string[]>();

  add(name: string, reason: string): void {
    this.names.set(reason, [...(this.names.get(reason) ?? []), name]);
  }

  execution(): Execution {
    if (this.names.size === 0) return { mode: 'graph', reason: null };
    const reason = [...this.names].map(([why, names]) => `${names.join(', ')}: ${why}`).join('; ');
    return { mode: 'eager', reason };
  }
}
