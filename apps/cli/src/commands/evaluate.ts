import {
  BIN_CONVENTIONS,
  DEFAULT_BINS,
  INPUT_KINDS,
  type BinConvention,
  type InputKind,
} from '@fidelis/fidelity';
import { BOOTSTRAP_METHODS, type BootstrapMethod } from '@fidelis/statistics';
import { Option } from 'commander';
import type { CommandRegistry } from '../command-host.js';
import type { ArrayReference } from '../evaluate/array-reference.js';
import { addStudent, arrayReference, type NamedStudent } from '../evaluate/array-reference.js';
import { EXIT } from '../exit-status.js';
import { examples, withJson, wholeNumber, type JsonOption } from '../options.js';

export interface EvaluateOptions extends JsonOption {
  readonly teacher: ArrayReference;
  readonly student: readonly NamedStudent[];
  readonly labels?: ArrayReference;
  readonly kind: InputKind;
  readonly bins: number;
  readonly convention: BinConvention;
  readonly seed: number;
  readonly resamples: number;
  readonly intervals: BootstrapMethod | 'none';
  readonly fast?: true;
  readonly html?: string;
}

const DETAILS = `
A file is .npy, .npz, CSV with a header, Parquet or Arrow, one row per sample and one column per class; FILE:NAME is one array of an
.npz file or one column of a table. Pickled arrays are never opened.

Files are read in pieces, however large they are. The intervals, the paired tests, eceEqualMass, smoothEce and temperature hold some
numbers per sample besides (a few hundred bytes for each student) and read the files several times: --fast leaves them out.`;

export function registerEvaluate({ program, run }: CommandRegistry): void {
  const command = withJson(
    program
      .command('evaluate')
      .description(
        'Says how faithful a student is to its teacher, and how well both are calibrated, from their outputs in files, whatever made them. Several students are compared with paired tests.',
      )
      .requiredOption('--teacher <file>', "the teacher's outputs", arrayReference)
      .requiredOption(
        '--student <[name=]file>',
        "a student's outputs for the same samples in the same order; may be given several times",
        addStudent,
      )
      .option('--labels <file>', 'the class of each sample, counted from 0', arrayReference)
      .addOption(new Option('--kind <kind>', 'what the files hold').choices(INPUT_KINDS).default('logits'))
      .option('--bins <n>', 'equal-width bins of the ECE', wholeNumber(1, 10_000), DEFAULT_BINS)
      .addOption(
        new Option('--convention <name>', 'which bin a confidence on an edge belongs to')
          .choices(BIN_CONVENTIONS)
          .default('torchmetrics'),
      )
      .addOption(
        new Option('--intervals <method>', 'bootstrap intervals of 95 %, or none')
          .choices([...BOOTSTRAP_METHODS, 'none'])
          .default('bca'),
      )
      .option('--resamples <n>', 'of the bootstrap intervals', wholeNumber(1, 1_000_000), 1_000)
      .option('--seed <n>', 'of the intervals and permutation tests', wholeNumber(0, 0xffffffff), 0)
      .option('--fast', 'leave out what holds numbers per sample or reads the files again')
      .option('--html <file>', 'write a report: one HTML file that needs no network'),
  ).addHelpText('after', DETAILS);
  examples(
    command,
    'fidelis evaluate --teacher t.npy --student s.npy --labels y.npy',
    'fidelis evaluate --teacher t.npy --student small=a.npy --student wide=b.npy --labels y.npy --html report.html',
    'fidelis evaluate --teacher out.npz:teacher --student out.npz:student --labels labels.csv:label --json',
  );
  command.action((options: EvaluateOptions) =>
    run(options.json, async (invocation) => {
      // Readers and drawing take a while to load: no other command waits for them.
      const { evaluate } = await import('../evaluate/evaluate.js');
      await evaluate(invocation, options);
      return EXIT.ok;
    }),
  );
}
