/** A program that the stack runs as a child process and keeps running. */
export interface ServiceDefinition {
  readonly name: string;
  /** Absolute path of the compiled entry point. */
  readonly entry: string;
  /** Over the environment that all services share. */
  readonly env: Readonly<Record<string, string>>;
  /** The schema it owns: it gets a role of its own that can enter no other. Absent: it gets no database. */
  readonly schema?: string;
  /** @default a free one at each start */
  readonly port?: number;
  /** Answers 200 once it can be used. */
  readonly readyPath: string;
}

/** The service whose address is the stack's. */
export const GATEWAY = 'gateway';
