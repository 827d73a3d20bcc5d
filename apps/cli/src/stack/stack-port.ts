/** What the commands need of an embedded stack; libs/embedded gives it, tests bring their own. */
export interface StackHandle {
  readonly gatewayUrl: string;
  /** What answers HTTP on this machine: name and address. */
  readonly services: readonly { readonly name: string; readonly url: string }[];
  /** Ends all of it in order; once `hurry` is aborted, at once. */
  stop(hurry: AbortSignal): Promise<void>;
}

/** Something happened to a part of the stack. */
export interface StackNews {
  readonly part: string;
  readonly state: 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped';
  readonly message?: string;
}

export interface LaunchOptions {
  readonly dataDir: string;
  readonly gatewayPort?: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onNews: (news: StackNews) => void;
}

/** @throws FidelisError STACK.ALREADY_RUNNING, PORT.IN_USE, STORAGE.UNWRITABLE, SETUP.MISSING, STACK.SERVICE_FAILED */
export type LaunchStack = (options: LaunchOptions) => Promise<StackHandle>;

/** One part of the installation as `doctor` shows it. */
export interface Finding {
  readonly part: string;
  readonly ok: boolean;
  readonly version?: string | undefined;
  readonly from?: string | undefined;
  readonly advice?: string | undefined;
}

export type Diagnose = () => Promise<readonly Finding[]>;
