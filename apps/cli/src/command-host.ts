import type { Command } from 'commander';
import type { CliConfig } from './cli-config.js';
import type { ExitStatus } from './exit-status.js';
import type { Interrupt } from './interrupt.js';
import { Output, type OutputStream } from './output.js';
import type { Diagnose, LaunchStack } from './stack/stack-port.js';

/** The world around a command. */
export interface CommandHost {
  readonly config: CliConfig;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly interrupt: Pick<Interrupt, 'signal' | 'hurry'>;
  readonly launchStack: LaunchStack;
  readonly diagnose: Diagnose;
}

/** One invocation of a command. */
export interface Invocation {
  readonly host: CommandHost;
  readonly output: Output;
  /** Aborted with an InterruptedError on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** @returns the exit status; what it throws is told to the person and mapped to one */
export type CommandBody = (invocation: Invocation) => Promise<ExitStatus>;

/** What every command is registered with. */
export interface CommandRegistry {
  readonly program: Command;
  /** Runs the body of a command and keeps its status. */
  readonly run: (json: boolean | undefined, body: CommandBody) => Promise<void>;
}
