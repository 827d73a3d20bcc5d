import type { RunPosition } from '@fidelis/contracts';
import type { Position } from './run-needs.js';

/** Where positions come from: the bus's RunPositions. */
export interface PositionSource {
  read(runId: string): Promise<{ readonly position: RunPosition } | undefined>;
  watch(onChange: (runId: string, position: RunPosition | undefined) => void): Promise<() => void>;
}

/** Where every run is, as far as is known here: at hand for whoever paces a stream. */
export class PositionBoard {
  private readonly positions = new Map<string, Position>();
  private readonly listeners = new Set<() => void>();
  private stopWatch: (() => void) | undefined;
  private stopped = false;

  constructor(private readonly source: PositionSource) {}

  readonly positionOf = (runId: string): Position | undefined => this.positions.get(runId);

  /** Called when a run has moved. */
  onMove(listener: () => void): void {
    this.listeners.add(listener);
  }

  async start(): Promise<void> {
    const stop = await this.source.watch((runId, position) => {
      this.set(runId, position);
      for (const listener of this.listeners) listener();
    });
    if (this.stopped) stop();
    else this.stopWatch = stop;
  }

  /** Reads these positions anew: for a decision that must not rest on old ones. */
  async refresh(runIds: readonly string[]): Promise<void> {
    const found = await Promise.all(runIds.map((runId) => this.source.read(runId)));
    runIds.forEach((runId, index) => this.set(runId, found[index]?.position));
  }

  stop(): void {
    this.stopped = true;
    this.stopWatch?.();
  }

  private set(runId: string, position: Position | undefined): void {
    if (position === undefined) this.positions.delete(runId);
    else this.positions.set(runId, position);
  }
}
