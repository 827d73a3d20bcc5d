import { BACKEND_PREFERENCES, type BackendPreference } from '@fidelis/compute';
import { ARCHITECTURES, NORMS, type ArchitectureName, type Norm } from '@fidelis/contracts';
import { InvalidArgumentError, Option } from 'commander';
import type { CommandRegistry } from '../command-host.js';
import { EXIT } from '../exit-status.js';
import { examples, wholeNumber, withJson, type JsonOption } from '../options.js';
import type { ImageLayout } from '../predict/input-array.js';

export interface PredictOptions extends JsonOption {
  readonly arch: ArchitectureName;
  readonly classes: number;
  readonly weights: string;
  readonly input: string;
  readonly output: string;
  readonly layout: ImageLayout;
  readonly map?: string;
  readonly norm?: Norm;
  readonly hiddenUnits?: readonly number[];
  readonly backend: BackendPreference;
  readonly eager?: true;
}

const MOST_CLASSES = 1_000_000;

const DETAILS = `
Weights are a safetensors file of Fidelis, or of PyTorch (safetensors.torch.save_file(model.state_dict(), ...)): which of them is told by the
names of the tensors. PyTorch's are torchvision's for vgg16 and resnet50, else those in docs/models.md; a map has lines
"our.name: their.name" for others.

Inputs are images, float32, scaled as for training (Fidelis trains on x / 127.5 - 1); for bilstm texts, whole numbers of words padded at the end with 0. They are read a batch at a time, and may be larger than the memory. The output is
there when all of it is.`;

export function registerPredict({ program, run }: CommandRegistry): void {
  const command = withJson(
    program
      .command('predict')
      .description('Gives the logits of a network, in eval mode, for inputs in a .npy file.')
      .addOption(
        new Option('--arch <name>', 'the architecture (see `fidelis models`)')
          .choices(ARCHITECTURES)
          .makeOptionMandatory(),
      )
      .requiredOption('--classes <n>', 'of the network', wholeNumber(2, MOST_CLASSES))
      .requiredOption('--weights <file>', 'the weights: .safetensors')
      .requiredOption('--input <file>', 'the inputs: .npy, samples first')
      .requiredOption('--output <file>', 'where the logits go: .npy, (samples, classes), float32')
      .addOption(
        new Option(
          '--layout <layout>',
          'how images are laid out: samples, channels, height, width, or with the channels last',
        )
          .choices(['nchw', 'nhwc'])
          .default('nhwc'),
      )
      .option('--map <file>', "YAML with the names of the weights' tensors, by ours")
      .addOption(new Option('--norm <kind>', 'of a preresnet').choices(NORMS))
      .option('--hidden-units <widths>', 'of an mlp: 128,64', widths)
      .addOption(new Option('--backend <name>', 'what computes').choices(BACKEND_PREFERENCES).default('auto'))
      .option('--eager', 'compute one operation after the other, not as a compiled graph'),
  ).addHelpText('after', DETAILS);
  examples(
    command,
    'fidelis predict --arch lenet5 --classes 10 --weights student.safetensors --input x.npy --output z.npy',
    'fidelis predict --arch resnet50 --classes 1000 --weights torch.safetensors --input x.npy --layout nchw --output z.npy',
  );
  command.action((options: PredictOptions) =>
    run(options.json, async (invocation) => {
      const { predict } = await import('../predict/predict.js');
      await predict(invocation, options);
      return EXIT.ok;
    }),
  );
}

function widths(text: string): number[] {
  return text.split(',').map((part) => {
    const width = Number(part);
    if (!Number.isInteger(width) || width < 1)
      throw new InvalidArgumentError('Expected widths such as 128,64.');
    return width;
  });
}
