#!/usr/bin/env node
import { cliConfig } from './cli-config.js';
import { EXIT, exitStatusOf } from './exit-status.js';
import { Interrupt } from './interrupt.js';
import { Output } from './output.js';
import { runCli } from './program.js';
import { diagnoseInstallation, launchEmbeddedStack } from './stack/embedded-stack.js';

const { stdout, stderr } = process;
// A reader that has seen enough (`fidelis runs | head`) is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

const interrupt = new Interrupt();
try {
  const config = cliConfig(process.env);
  process.exitCode = await runCli(process.argv.slice(2), {
    config,
    stdout,
    stderr,
    interrupt,
    launchStack: launchEmbeddedStack,
    diagnose: diagnoseInstallation,
  });
} catch (error) {
  new Output(stdout, stderr, process.argv.includes('--json'), false).error(error);
  process.exitCode = exitStatusOf(error);
}
interrupt.stopListening();
// What was asked to end at once is not waited for: its processes end with this one.
if (interrupt.hurry.aborted) process.exit();
