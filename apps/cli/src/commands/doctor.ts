import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { examples, withJson, type JsonOption } from '../options.js';
import { padEnd } from '../render/style.js';

export function registerDoctor({ program, run }: CommandRegistry): void {
  const command = withJson(
    program
      .command('doctor')
      .description(
        'Shows every part that Fidelis needs on this machine: its version, where it is from, and what to do if it ' +
          'is missing. Ends with 1 if something is.',
      ),
  );
  examples(command, 'fidelis doctor');
  command.action((options: JsonOption) =>
    run(options.json, async ({ host, output }) => {
      const findings = await host.diagnose();
      const ok = findings.every((finding) => finding.ok);
      const { style } = output;
      const width = Math.max(...findings.map(({ part }) => part.length));
      output.result({ ok, findings }, () =>
        [
          ...findings.flatMap(({ part, ok: good, version, from, advice, attempts = [] }) => {
            const facts = [version, from].filter((fact) => fact !== undefined && fact !== '').join(' · ');
            const line = `${good ? style.green('✓') : style.red('✗')} ${padEnd(part, width)}  ${facts || (good ? 'ok' : 'missing')}`;
            const indent = ' '.repeat(width + 4);
            const failures = attempts.filter((attempt) => !attempt.ok);
            return [
              line,
              ...failures.map(({ what, reason }) =>
                style.dim(`${indent}tried ${what}: ${reason ?? 'failed'}`),
              ),
              ...(advice === undefined ? [] : [`${indent}${style.yellow(`→ ${advice}`)}`]),
            ];
          }),
          ok ? 'Everything that is needed is here.' : 'Something that is needed is missing: see the arrows.',
        ].join('\n'),
      );
      return ok ? EXIT.ok : EXIT.failed;
    }),
  );
}
