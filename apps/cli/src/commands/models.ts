import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { examples, withJson, type JsonOption } from '../options.js';

export function registerModels({ program, run }: CommandRegistry): void {
  const command = withJson(
    program
      .command('models')
      .description('Lists the architectures that teachers and students can have, with their parameters.'),
  );
  examples(command, 'fidelis models', 'fidelis models --json');
  command.action((options: JsonOption) =>
    run(options.json, async ({ output }) => {
      // The tensor library takes a while to load: no other command waits for it.
      const { describeModels } = await import('../predict/describe-models.js');
      const { document, text } = describeModels(output.style);
      output.result(document, text);
      return EXIT.ok;
    }),
  );
}
