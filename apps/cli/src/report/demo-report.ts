import { duration } from '../render/figures.js';
import { padEnd, type Style } from '../render/style.js';
import { inPlainWords } from './plain-words.js';
import type { RunDocument } from './run-document.js';
import { renderFigures } from './run-table.js';

const STAGES = ['stack', 'teacher', 'stream', 'student', 'evaluation', 'total'] as const;

/** What the demo leaves on the screen. */
export function demoReport(
  document: RunDocument,
  { file, kept }: { readonly file: string; readonly kept: string | undefined },
  style: Style,
): string {
  const { seconds, producer, run } = document;
  const times = STAGES.map(
    (stage) => `${stage === 'stack' ? 'set-up' : stage} ${duration(seconds[stage] ?? 0)}`,
  );
  const pointers: [string, string][] = [
    ['Results', file],
    ['Times', times.join(' · ')],
    [
      'Made by',
      `${producer.backend} ${producer.backendVersion}, ${producer.threads} thread(s); the same seed gives the same figures`,
    ],
    ...lookingOn(run, kept),
  ];
  return [
    '',
    renderFigures(document, style),
    '',
    inPlainWords(document, document.set),
    '',
    ...pointers.map(([title, text]) => `${style.bold(padEnd(title, 9))} ${text}`),
  ].join('\n');
}

function lookingOn(run: string, kept: string | undefined): [string, string][] {
  if (kept !== undefined) {
    return [
      [
        'Look on',
        `npm run fidelis -- up --data-dir ${kept}    starts the same stack again and prints its GraphQL page; then`,
      ],
      ['', `npm run fidelis -- show ${run} --data-dir ${kept}`],
    ];
  }
  return [
    [
      'Look on',
      'npm run fidelis -- up                              starts a stack that stays and prints its GraphQL page; then',
    ],
    [
      '',
      'npm run fidelis -- run examples/lenet5-mnist.yaml  (or a spec of yours), and `show <run>` for every detail',
    ],
    ['', 'npm run demo -- --keep                             keeps the stack of the demo itself'],
  ];
}
