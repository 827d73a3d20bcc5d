import { Command, InvalidArgumentError } from 'commander';

export interface JsonOption {
  readonly json?: true;
}

export interface GatewayOptions extends JsonOption {
  readonly gateway?: string;
  readonly dataDir?: string;
}

const JSON_HELP = 'one JSON document on stdout (an error too: { "error": { code, message, details } })';

export function withJson(command: Command): Command {
  return command.option('--json', JSON_HELP);
}

/** How the stack of this machine computes. */
export interface ComputeOptions {
  readonly eager?: true;
  readonly gpu?: true;
}

/** For the commands that start a stack. */
export function withCompute(command: Command, gpuHelp: string): Command {
  return command
    .option(
      '--eager',
      'train and score one operation after the other, not as compiled graphs: slower, to find out what a graph does',
    )
    .option('--gpu', gpuHelp);
}

export function withDataDir(command: Command): Command {
  return command.option(
    '--data-dir <dir>',
    'where the embedded stack keeps its data (default: FIDELIS_DATA_DIR)',
  );
}

/** For the commands that talk to a stack. */
export function withGateway(command: Command): Command {
  return withDataDir(
    withJson(command).option(
      '--gateway <url>',
      'the gateway to talk to (default: FIDELIS_GATEWAY, else the embedded stack that runs now)',
      webUrl,
    ),
  );
}

export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/** A parser for whole numbers within bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

function webUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Expected a URL such as http://127.0.0.1:4000.');
  }
  return text;
}
