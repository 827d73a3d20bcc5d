import { FidelisError } from '@fidelis/contracts';
import { useDatasetDirectory } from '@fidelis/data';
import { Command, CommanderError } from 'commander';
import type { CommandHost, CommandRegistry } from './command-host.js';
import { registerCancel } from './commands/cancel.js';
import { registerData } from './commands/data.js';
import { registerDemo } from './commands/demo.js';
import { registerDoctor } from './commands/doctor.js';
import { registerEvaluate } from './commands/evaluate.js';
import { registerModels } from './commands/models.js';
import { registerPredict } from './commands/predict.js';
import { registerRun } from './commands/run.js';
import { registerRuns } from './commands/runs.js';
import { registerShow } from './commands/show.js';
import { registerGc } from './commands/gc.js';
import { registerJobs } from './commands/jobs.js';
import { registerRm } from './commands/rm.js';
import { registerStream } from './commands/stream.js';
import { registerStreams } from './commands/streams.js';
import { registerUp } from './commands/up.js';
import { EXIT, exitStatusOf, type ExitStatus } from './exit-status.js';
import { Output } from './output.js';
import { VERSION } from './version.js';

const FOOTER = `
Exit status: 0 ok, 1 failed, 2 bad input, 130 interrupted.
Results go to stdout, progress and messages to stderr. With --json stdout has exactly one JSON document;
of a command that fails it is { "error": { "code", "message", "details" } }.

Examples:
  $ fidelis demo                                 the whole platform at work, in two minutes
  $ fidelis up                                   start the platform and keep it running
  $ fidelis run examples/lenet5-mnist.yaml       run an experiment on it
  $ fidelis evaluate --teacher t.npy --student s.npy --labels y.npy     how faithful, how well calibrated`;

/** Parses the arguments (without node and script), runs the command, and returns the exit status. Never throws. */
export async function runCli(args: readonly string[], host: CommandHost): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok;
  const program = new Command('fidelis')
    .description('Distils classifiers and says how faithful the student is.')
    .version(VERSION, '-V, --version', 'print the version')
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText('after', FOOTER)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  useDatasetDirectory(host.config.datasetsDir);
  const registry: CommandRegistry = {
    program,
    run: async (json, body) => {
      const { config, stdout, stderr, interrupt } = host;
      const output = new Output(stdout, stderr, json === true, config.colourAllowed);
      try {
        interrupt.signal.throwIfAborted();
        status = await body({ host, output, signal: interrupt.signal });
      } catch (error) {
        // Whatever fails after Ctrl-C fails because of it; what went wrong while stopping is still told.
        const cause: unknown = interrupt.signal.aborted ? interrupt.signal.reason : error;
        if (cause !== error && FidelisError.is(error)) output.message(`${error.code}: ${error.message}`);
        output.error(cause);
        status = exitStatusOf(cause);
      }
    },
  };
  for (const register of [
    registerDemo,
    registerUp,
    registerDoctor,
    registerRun,
    registerRuns,
    registerShow,
    registerCancel,
    registerRm,
    registerStreams,
    registerStream,
    registerJobs,
    registerGc,
    registerData,
    registerEvaluate,
    registerModels,
    registerPredict,
  ]) {
    register(registry);
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return usageError(error, args.includes('--json'), host);
  }
}

/** commander has written its text already; help that was asked for is no error. */
function usageError(error: unknown, json: boolean, { stdout, stderr }: CommandHost): ExitStatus {
  if (!(error instanceof CommanderError)) {
    new Output(stdout, stderr, json, false).error(error);
    return exitStatusOf(error);
  }
  if (error.exitCode === 0) return EXIT.ok;
  if (json) {
    const { code, message } = new FidelisError('REQUEST.INVALID', error.message.replace(/^error: /, ''));
    stdout.write(`${JSON.stringify({ error: { code, message, details: {} } }, undefined, 2)}\n`);
  }
  return EXIT.badInput;
}
