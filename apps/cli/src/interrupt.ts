import { InterruptedError } from './exit-status.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal and npm can both pass on the same Ctrl-C: within this time it is one. */
const SAME_KEYSTROKE_MS = 400;

interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** Ctrl-C: the first asks for an orderly end, a second for a quick one. */
export class Interrupt {
  private readonly first = new AbortController();
  private readonly second = new AbortController();
  private firstAtMs = 0;

  constructor(
    private readonly source: SignalSource = process,
    private readonly now: () => number = () => performance.now(),
  ) {
    for (const name of SIGNALS) source.on(name, this.onSignal);
  }

  /** Aborted, with an InterruptedError as its reason, once an end was asked for. */
  get signal(): AbortSignal {
    return this.first.signal;
  }

  /** Aborted once a quick end was asked for. */
  get hurry(): AbortSignal {
    return this.second.signal;
  }

  stopListening(): void {
    for (const name of SIGNALS) this.source.off(name, this.onSignal);
  }

  private readonly onSignal = (name: NodeJS.Signals): void => {
    if (!this.first.signal.aborted) {
      this.firstAtMs = this.now();
      this.first.abort(new InterruptedError(name));
    } else if (this.now() - this.firstAtMs > SAME_KEYSTROKE_MS) {
      this.second.abort(new InterruptedError(name));
    }
  };
}
