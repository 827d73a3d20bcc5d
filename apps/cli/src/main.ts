#!/usr/bin/env node
import { startStack } from '@fidelis/embedded';
import { cliConfig } from './cli-config.js';
import { EXIT, exitStatusOf } from './exit-status.js';
import { Interrupt } from './interrupt.js';
import { Output } from './output.js';
import { runCli } from './program.js';
import { diagnoseInstallation } from './stack/diagnose-installation.js';

const HURRY_MS = 5_000;

const { stdout, stderr } = process;
// A reader that has seen enough (`fidelis runs | head`) is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

const interrupt = new Interrupt();
// What was asked to end at once gets this long; what is left then ends with this process.
interrupt.hurry.addEventListener('abort', () => {
  setTimeout(() => process.exit(EXIT.interrupted), HURRY_MS).unref();
});
try {
  const config = cliConfig(process.env);
  // Paths on the command line are the caller's.
  if (config.callersDirectory !== undefined) process.chdir(config.callersDirectory);
  process.exitCode = await runCli(process.argv.slice(2), {
    config,
    stdout,
    stderr,
    interrupt,
    launchStack: startStack,
    diagnose: diagnoseInstallation,
  });
} catch (error) {
  new Output(stdout, stderr, process.argv.includes('--json'), false).error(error);
  process.exitCode = exitStatusOf(error);
}
interrupt.stopListening();
