import { IMPORT_KINDS } from '@fidelis/data';
import { POLICIES } from '@fidelis/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandRegistry } from '../command-host.js';
import { addToCatalogue, type AddOptions } from '../data/add-dataset.js';
import { listDatasets, removeDataset, showDataset, verifyFiles } from '../data/datasets.js';
import { preview, type PreviewOptions } from '../data/preview.js';
import { examples, wholeNumber, withJson, type JsonOption } from '../options.js';

export function registerData({ program, run }: CommandRegistry): void {
  const data = program
    .command('data')
    .description('The datasets that experiments can use, and what views make of them.');
  examples(
    data,
    'fidelis data list',
    'fidelis data add ./photos --name photos --resize 32x32',
    'fidelis data preview examples/lenet5-mnist-sequence.yaml -o sheet.png',
  );

  const list = withJson(data.command('list').description('Lists the known datasets.'));
  examples(list, 'fidelis data list --json');
  list.action((options: JsonOption) => run(options.json, listDatasets));

  for (const name of ['show', 'get']) {
    const show = withJson(
      data
        .command(`${name} <name>`)
        .description(
          name === 'show'
            ? 'Verifies a dataset and prints what it is: digest, shape, classes, licence.'
            : 'The same as `data show`.',
        ),
    );
    examples(show, `fidelis data ${name} mnist`);
    show.action((dataset: string, options: JsonOption) =>
      run(options.json, (invocation) => showDataset(invocation, dataset)),
    );
  }

  const verify = withJson(
    data.command('verify <name>').description('Compares every file of a dataset with its checksum.'),
  );
  examples(verify, 'fidelis data verify mnist');
  verify.action((name: string, options: JsonOption) =>
    run(options.json, (invocation) => verifyFiles(invocation, name)),
  );

  const remove = withJson(data.command('remove <name>').description('Removes a dataset that was added.'));
  examples(remove, 'fidelis data remove photos');
  remove.action((name: string, options: JsonOption) =>
    run(options.json, (invocation) => removeDataset(invocation, name)),
  );

  const add = addOptions(data);
  add.action((path: string, options: AddOptions) =>
    run(options.json, (invocation) => addToCatalogue(invocation, path, options)),
  );

  const show = previewOptions(data);
  show.action((subject: string, options: PreviewOptions) =>
    run(options.json, (invocation) => preview(invocation, subject, options)),
  );
}

function addOptions(data: Command): Command {
  const add = withJson(
    data
      .command('add <path>')
      .description(
        'Brings a dataset into the data directory: an image folder (train/<class>/*.jpg|png and test/<class>/…, as a directory, ' +
          '.tar or .tar.gz), a .npz of arrays, IDX files, the binary version of CIFAR-10 or -100, sentence polarity texts, or the ' +
          'directory of a dataset that was added elsewhere.',
      )
      .requiredOption('--name <name>', 'what specs call it: lower-case letters, digits, "-"')
      .addOption(new Option('--kind <kind>', 'what it is').choices(['auto', ...IMPORT_KINDS]).default('auto'))
      .option('--link', 'refer to a dataset directory where it is, instead of copying it')
      .option(
        '--resize <size>',
        'images of other sizes are brought to HEIGHTxWIDTH; else they are refused',
        size,
      )
      .addOption(
        new Option('--channels <n>', 'grey or colour (default: what the first image is)').choices(['1', '3']),
      )
      .option(
        '--arrays <names>',
        'of a .npz: the training images, their labels, the test images, their labels (default: x_train,y_train,x_test,y_test)',
        arrays,
      )
      .option(
        '--min-frequency <n>',
        'of texts: rarer words are left out (default: 2)',
        wholeNumber(1, 1_000_000),
      )
      .option('--max-length <n>', 'of texts: what is longer is cut (default: 64)', wholeNumber(1, 10_000))
      .option('--test-fraction <f>', 'of texts: part of each class for testing (default: 0.1)', fraction)
      .option(
        '--seed <n>',
        'of texts: of the division into training and test (default: 0)',
        wholeNumber(0, 0xffffffff),
      )
      .option('--title <text>', 'what people read')
      .option('--license <text>', 'what people read')
      .option('--source <text>', 'what people read'),
  );
  return examples(
    add,
    'fidelis data add cifar10-jpeg.tar.gz --name cifar10-jpeg',
    'fidelis data add ./photos --name photos --resize 32x32 --license CC0',
    'fidelis data add arrays.npz --name mine --arrays train,train_labels,test,test_labels',
    'fidelis data add /mnt/datasets/cifar100 --name cifar100 --link',
  );
}

function previewOptions(data: Command): Command {
  const show = withJson(
    data
      .command('preview <subject>')
      .description(
        'Draws what the view of a spec (a .yaml file) or of a dataset (its name) gives, so that a person can look at it: of each sample the original above, and below it what the network sees.',
      )
      .requiredOption('-o, --output <file>', 'the picture: a PNG')
      .option('--step <n>', 'which batch', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
      .option('--rows <n>', 'rows of eight samples', wholeNumber(1, 64), 3)
      .addOption(
        new Option('--policy <name>', 'of a dataset: with this augmentation policy').choices(POLICIES),
      )
      .option('--append <dataset>', 'of a dataset: with as many samples of another one as --append-size says')
      .option('--append-size <n>', 'how many', wholeNumber(1, 100_000_000))
      .option('--synthetic <dataset>', 'of a dataset: with a fifth of each batch from another one'),
  );
  return examples(
    show,
    'fidelis data preview examples/lenet5-mnist-sequence.yaml -o sheet.png',
    'fidelis data preview mnist --policy combined --rows 4 -o sheet.png',
    'fidelis data preview mnist --policy out-of-distribution --append fashion-mnist --step 5 -o sheet.png',
  );
}

function size(text: string): { height: number; width: number } {
  const match = /^(\d{1,4})x(\d{1,4})$/.exec(text);
  const [height, width] = [Number(match?.[1]), Number(match?.[2])];
  if (!(height >= 1 && width >= 1)) throw new InvalidArgumentError('Expected HEIGHTxWIDTH, such as 32x32.');
  return { height, width };
}

function arrays(text: string): AddOptions['arrays'] {
  const [trainInputs, trainLabels, testInputs, testLabels, ...rest] = text
    .split(',')
    .map((name) => name.trim());
  if (trainInputs && trainLabels && testInputs && testLabels && rest.length === 0) {
    return { trainInputs, trainLabels, testInputs, testLabels };
  }
  throw new InvalidArgumentError('Expected four names, such as x_train,y_train,x_test,y_test.');
}

function fraction(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('Expected a number between 0 and 1.');
  return value;
}
