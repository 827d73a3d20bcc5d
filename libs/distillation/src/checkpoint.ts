import { FidelisError } from '@fidelis/contracts';
import {
  decodeSafetensors,
  encodeSafetensors,
  flatParameters,
  modelWeights,
  namedBuffers,
  namedParameters,
  type Model,
  type NamedTensor,
} from '@fidelis/models';
import { z } from 'zod';
import type { TrainingState } from './training-state.js';

const FORMAT = 'fidelis-checkpoint-2';
/** Of trainings by SGD without buffers: the velocity under `velocity.<name>`. */
const FIRST_FORMAT = 'fidelis-checkpoint-1';
const VELOCITY_PREFIX = 'velocity.';

const count = z.string().regex(/^\d+$/).transform(Number);
const metadataSchema = z.object({
  format: z.enum([FIRST_FORMAT, FORMAT]),
  step: count,
  slots: count.optional(),
  recipe: z.string().optional(),
  loss: z.string().transform(Number).pipe(z.number()).optional(),
});

export interface Checkpoint {
  readonly state: TrainingState;
  /** What `encodeCheckpoint` was given. */
  readonly meta: Readonly<Record<string, string>>;
}

export interface CheckpointOptions {
  /** Names what is trained, how and on what: a training goes on only from a checkpoint of its own recipe. */
  readonly recipe?: string;
}

/**
 * A training state as a safetensors file: parameters and buffers under their names, the optimiser's slots under `slot<i>.<name>`, the
 * step (and so the position in the view) and whatever `meta` says in its metadata. Any safetensors reader opens it.
 */
export function encodeCheckpoint(
  model: Model,
  state: TrainingState,
  meta: Readonly<Record<string, string>> = {},
  { recipe }: CheckpointOptions = {},
): Uint8Array {
  const slots = state.slots.flatMap((slot, index) =>
    namedParameters(model, slot).map((tensor) => ({ ...tensor, name: slotPrefix(index) + tensor.name })),
  );
  return encodeSafetensors({
    tensors: [...namedParameters(model, state.parameters), ...namedBuffers(model, state.buffers), ...slots],
    metadata: {
      ...meta,
      format: FORMAT,
      step: String(state.step),
      slots: String(state.slots.length),
      ...(recipe === undefined ? {} : { recipe }),
      ...(state.loss === undefined ? {} : { loss: String(state.loss) }),
    },
  });
}

/**
 * Reads checkpoints of the first format, too.
 *
 * @param options.recipe refuses a checkpoint that was made under another one
 * @throws FidelisError WEIGHTS.INVALID: not a checkpoint, or of another model or recipe
 */
export function decodeCheckpoint(
  model: Model,
  bytes: Uint8Array,
  { recipe }: CheckpointOptions = {},
): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    throw new FidelisError('WEIGHTS.INVALID', `these weights are not a checkpoint of format ${FORMAT}`);
  }
  const { format, step, loss, recipe: madeUnder, slots = 1 } = parsed.data;
  if (recipe !== undefined && madeUnder !== undefined && recipe !== madeUnder) {
    throw new FidelisError(
      'WEIGHTS.INVALID',
      'this checkpoint is of another spec: the training that it is of had another model, data, seed, loss or optimizer. Start this one from the beginning.',
      { details: { checkpoint: madeUnder, expected: recipe } },
    );
  }
  const prefixes = Array.from({ length: slots }, (_, index) =>
    format === FIRST_FORMAT ? VELOCITY_PREFIX : slotPrefix(index),
  );
  const inSlot = ({ name }: NamedTensor): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  const { format: _format, step: _step, loss: _loss, slots: _slots, recipe: _recipe, ...meta } = metadata;
  return {
    state: {
      step,
      ...modelWeights(
        model,
        tensors.filter((tensor) => !inSlot(tensor)),
      ),
      slots: prefixes.map((prefix) => flatParameters(model, withPrefix(tensors, prefix))),
      ...(loss === undefined ? {} : { loss }),
    },
    meta,
  };
}

function slotPrefix(index: number): string {
  return `slot${index}.`;
}

function withPrefix(tensors: readonly NamedTensor[], prefix: string): NamedTensor[] {
  return tensors
    .filter(({ name }) => name.startsWith(prefix))
    .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
}
