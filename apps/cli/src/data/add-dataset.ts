import { resolve } from 'node:path';
import { addDataset, type AddDatasetOptions, type ImportKind, type ImportOptions } from '@fidelis/data';
import type { Invocation } from '../command-host.js';
import type { ExitStatus } from '../exit-status.js';
import type { JsonOption } from '../options.js';
import { showDataset } from './datasets.js';

export interface AddOptions extends JsonOption {
  readonly name: string;
  readonly kind: 'auto' | ImportKind;
  readonly link?: true;
  readonly resize?: { readonly height: number; readonly width: number };
  readonly channels?: '1' | '3';
  readonly arrays?: NonNullable<ImportOptions['arrays']>;
  readonly minFrequency?: number;
  readonly maxLength?: number;
  readonly testFraction?: number;
  readonly seed?: number;
  readonly title?: string;
  readonly license?: string;
  readonly source?: string;
}

export async function addToCatalogue(
  invocation: Invocation,
  path: string,
  options: AddOptions,
): Promise<ExitStatus> {
  const { host, output, signal } = invocation;
  const display = output.progress();
  const beganAtMs = performance.now();
  try {
    const { added } = await addDataset(host.config.datasetsDir, resolve(path), {
      ...importOptions(options),
      signal,
      onProgress: ({ label, done, total, unit }) =>
        display.show([
          {
            label,
            done,
            total,
            unit,
            ...(total === 0 || done < total
              ? { state: 'running', ...(total === 0 ? { note: `${done} ${unit}` } : {}) }
              : { state: 'done', seconds: (performance.now() - beganAtMs) / 1_000 }),
          },
        ]),
    });
    if (!added) output.message(`${options.name} is there already, with the same digest: nothing was done`);
  } finally {
    display.end();
  }
  return showDataset(invocation, options.name);
}

function importOptions(options: AddOptions): AddDatasetOptions {
  const { name, kind, link, resize, channels, arrays } = options;
  const given = <Key extends keyof AddOptions>(...keys: readonly Key[]): Pick<AddOptions, Key> =>
    Object.fromEntries(
      keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])),
    ) as Pick<AddOptions, Key>;
  return {
    name,
    ...(kind === 'auto' ? {} : { kind }),
    ...(link === undefined ? {} : { link }),
    ...(resize === undefined ? {} : { resize }),
    ...(channels === undefined ? {} : { channels: channels === '1' ? 1 : 3 }),
    ...(arrays === undefined ? {} : { arrays }),
    text: given('minFrequency', 'maxLength', 'testFraction', 'seed'),
    about: given('title', 'license', 'source'),
  };
}
