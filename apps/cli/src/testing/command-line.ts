import type { CommandHost } from '../command-host.js';
import { cliConfig } from '../cli-config.js';
import type { ExitStatus } from '../exit-status.js';
import { runCli } from '../program.js';

export interface CommandLineResult {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command as `main` does, in this process, with what it writes kept. */
export async function commandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  changes: Partial<CommandHost> = {},
): Promise<CommandLineResult> {
  let stdout = '';
  let stderr = '';
  const never = new AbortController().signal;
  const status = await runCli(args, {
    config: cliConfig(environment),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    interrupt: { signal: never, hurry: never },
    launchStack: () => Promise.reject(new Error('this test has no stack')),
    diagnose: () => Promise.resolve([]),
    ...changes,
  });
  return { status, stdout, stderr };
}
