import { duration } from '../render/figures.js';
import { padEnd, type Style } from '../render/style.js';
import { wrap } from '../render/wrap.js';
import { inPlainWords } from './plain-words.js';
import type { RunDocument } from './run-document.js';
import { renderFigures } from './run-table.js';

const STAGES = ['stack', 'teacher', 'stream', 'student', 'evaluation', 'total'] as const;
const TITLE_WIDTH = 9;
const NO_BREAK = '\u00A0';

export interface DemoReportOptions {
  /** The document that was kept. */
  readonly file: string;
  /** The stack's data, if it was kept too. */
  readonly kept: string | undefined;
  readonly style: Style;
  readonly columns: number;
}

/** What the demo leaves on the screen. */
export function demoReport(document: RunDocument, { file, kept, style, columns }: DemoReportOptions): string {
  const { seconds, producer, run } = document;
  const times = STAGES.map(
    (stage) => `${stage === 'stack' ? 'set-up' : stage} ${duration(seconds[stage] ?? 0)}`,
  );
  const threads = producer.threads === 1 ? 'one thread' : `${producer.threads} threads`;
  const entry = (title: string, text: string): string =>
    `${style.bold(padEnd(title, TITLE_WIDTH))} ${wrap(text, columns - TITLE_WIDTH - 1).replaceAll('\n', `\n${' '.repeat(TITLE_WIDTH + 1)}`)}`;
  return [
    '',
    renderFigures(document, style),
    '',
    wrap(inPlainWords(document, document.set), columns),
    '',
    // A path and a command are for copying: they are not broken.
    `${style.bold(padEnd('Results', TITLE_WIDTH))} ${file}`,
    // A figure and its unit stay together.
    entry('Times', times.map((time) => time.replaceAll(' ', NO_BREAK)).join(', ')).replaceAll(NO_BREAK, ' '),
    entry(
      'Made by',
      `${producer.backend} ${producer.backendVersion} on ${threads}; the same seed gives the same figures`,
    ),
    '',
    ...(kept === undefined ? nextSteps() : stepsInKept(run, kept)),
  ].join('\n');
}

function stepsInKept(run: string, kept: string): string[] {
  return [
    'The stack is stopped, its data is kept. Start it again, and look at the run from another terminal:',
    `  npm run fidelis -- up --data-dir ${kept}`,
    `  npm run fidelis -- show ${run} --data-dir ${kept}`,
  ];
}

function nextSteps(): string[] {
  return [
    'The stack is stopped. To go on with one that stays:',
    '  npm run fidelis -- up                              # prints its GraphQL page',
    '  npm run fidelis -- run examples/lenet5-mnist.yaml  # in another terminal',
  ];
}
