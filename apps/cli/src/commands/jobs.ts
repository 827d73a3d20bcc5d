import type { DeadLetter, JobRecord } from '@fidelis/contracts';
import type { Command } from 'commander';
import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import {
  DISCARD_DEAD_LETTER,
  LIST_DEAD_LETTERS,
  LIST_JOBS,
  REDRIVE_DEAD_LETTER,
} from '../gateway/operation-documents.js';
import { withGatewayClient } from '../gateway/open-gateway.js';
import { examples, wholeNumber, withGateway, type GatewayOptions } from '../options.js';
import { moment, whole } from '../render/figures.js';
import { renderTable, type Column } from '../render/table.js';

interface JobsOptions extends GatewayOptions {
  readonly dead?: true;
  readonly limit: number;
}

const JOB_COLUMNS: readonly Column[] = [
  { title: 'job' },
  { title: 'trains' },
  { title: 'placement' },
  { title: 'state' },
  { title: 'worker' },
  { title: 'attempts', align: 'right' },
  { title: 'step', align: 'right' },
  { title: 'checkpoint', align: 'right' },
  { title: 'queued (UTC)' },
];
const LETTER_COLUMNS: readonly Column[] = [
  { title: 'letter' },
  { title: 'kind' },
  { title: 'about' },
  { title: 'deliveries', align: 'right' },
  { title: 'at (UTC)' },
  { title: 'why' },
];

export function registerJobs(registry: CommandRegistry): void {
  const { program, run } = registry;
  const command = withGateway(
    program
      .command('jobs')
      .description(
        'Lists the trainings on the queue and who is at work on them; with --dead the messages that could not be handled and were set aside.',
      )
      .option('--dead', 'the messages that were set aside, newest first')
      .option('--limit <n>', 'at most so many of them', wholeNumber(1, 200), 50),
  );
  examples(
    command,
    'fidelis jobs',
    'fidelis jobs --dead',
    'fidelis jobs redrive 17',
    'fidelis jobs discard 17',
  );
  command.action((options: JobsOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        if (options.dead === true) {
          const { deadLetters } = await client.request(
            LIST_DEAD_LETTERS,
            { first: options.limit, after: null },
            signal,
          );
          output.result(deadLetters, () => {
            const { letters, hasMore, total } = deadLetters;
            if (letters.length === 0) return 'no dead letters';
            const table = renderTable(LETTER_COLUMNS, letters.map(letterRow), output.style);
            return hasMore ? `${table}\n… ${letters.length} of ${total}` : table;
          });
          return EXIT.ok;
        }
        const { jobs: list } = await client.request(LIST_JOBS, {}, signal);
        output.result(list, () => {
          const queues = list.queues.map(
            ({ placement, waiting, running }) => `${placement}: ${waiting} waiting, ${running} in hand`,
          );
          const summary = output.style.dim(queues.join('; '));
          if (list.jobs.length === 0) return `no jobs\n${summary}`;
          const problems = list.jobs.flatMap(({ id, problem }) =>
            problem === null ? [] : [`${output.style.yellow('malformed')}: ${id}: ${problem}`],
          );
          return [renderTable(JOB_COLUMNS, list.jobs.map(jobRow), output.style), ...problems, summary].join(
            '\n',
          );
        });
        return EXIT.ok;
      }),
    ),
  );
  registerRedrive(registry, command);
  registerDiscard(registry, command);
}

function registerRedrive({ run }: CommandRegistry, jobs: Command): void {
  const redrive = withGateway(
    jobs
      .command('redrive <letter>')
      .description(
        'Has a message that was set aside handled again. A run that it ended goes on from its last checkpoint, with its attempts counted anew.',
      ),
  );
  examples(redrive, 'fidelis jobs redrive 17');
  redrive.action((id: string, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const { redriveDeadLetter: letter } = await client.request(REDRIVE_DEAD_LETTER, { id }, signal);
        output.result(letter, () => `${letter.kind} of ${letter.about} is being handled again`);
        return EXIT.ok;
      }),
    ),
  );
}

function registerDiscard({ run }: CommandRegistry, jobs: Command): void {
  const discard = withGateway(
    jobs.command('discard <letter>').description('Throws a message that was set aside away.'),
  );
  examples(discard, 'fidelis jobs discard 17');
  discard.action((id: string, options: GatewayOptions) =>
    run(options.json, ({ host, output, signal }) =>
      withGatewayClient(host, options, async (client) => {
        const { discardDeadLetter: letter } = await client.request(DISCARD_DEAD_LETTER, { id }, signal);
        output.result(letter, () => `${letter.kind} of ${letter.about} is thrown away`);
        return EXIT.ok;
      }),
    ),
  );
}

function jobRow(job: JobRecord): string[] {
  const step = (value: number | null): string => (value === null || value < 0 ? '–' : whole(value));
  return [
    job.id,
    job.kind,
    job.placement,
    job.state,
    job.worker ?? '–',
    String(job.attempts),
    step(job.trainedStep),
    step(job.checkpointStep),
    moment(job.queuedAt),
  ];
}

function letterRow(letter: DeadLetter): string[] {
  return [
    letter.id,
    letter.kind,
    letter.about,
    String(letter.deliveries),
    moment(letter.at),
    `${letter.code}: ${letter.reason}`,
  ];
}
