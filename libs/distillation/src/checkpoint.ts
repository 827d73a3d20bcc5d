import { FidelisError } from '@fidelis/contracts';
import {
  decodeSafetensors,
  encodeSafetensors,
  flatParameters,
  namedParameters,
  type Model,
} from '@fidelis/models';
import { z } from 'zod';
import type { TrainingState } from './training-state.js';

const VELOCITY_PREFIX = 'velocity.';
const FORMAT = 'fidelis-checkpoint-1';

const metadataSchema = z.object({
  format: z.literal(FORMAT),
  step: z.string().regex(/^\d+$/).transform(Number),
  loss: z.string().transform(Number).pipe(z.number()).optional(),
});

export interface Checkpoint {
  readonly state: TrainingState;
  /** What `encodeCheckpoint` was given. */
  readonly meta: Readonly<Record<string, string>>;
}

/**
 * A training state as a safetensors file: the parameters under their names, the optimiser's velocity under `velocity.<name>`, the
 * step and whatever `meta` says in its metadata. Any safetensors reader opens it.
 */
export function encodeCheckpoint(
  model: Model,
  state: TrainingState,
  meta: Readonly<Record<string, string>> = {},
): Uint8Array {
  const velocity = namedParameters(model, state.velocity).map((tensor) => ({
    ...tensor,
    name: VELOCITY_PREFIX + tensor.name,
  }));
  return encodeSafetensors({
    tensors: [...namedParameters(model, state.parameters), ...velocity],
    metadata: {
      ...meta,
      format: FORMAT,
      step: String(state.step),
      ...(state.loss === undefined ? {} : { loss: String(state.loss) }),
    },
  });
}

/** @throws FidelisError WEIGHTS.INVALID: not a checkpoint, or of another model */
export function decodeCheckpoint(model: Model, bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    throw new FidelisError('WEIGHTS.INVALID', `these weights are not a checkpoint of format ${FORMAT}`);
  }
  const { step, loss } = parsed.data;
  const isVelocity = (name: string): boolean => name.startsWith(VELOCITY_PREFIX);
  const velocity = tensors
    .filter(({ name }) => isVelocity(name))
    .map((tensor) => ({ ...tensor, name: tensor.name.slice(VELOCITY_PREFIX.length) }));
  const { format: _format, step: _step, loss: _loss, ...meta } = metadata;
  return {
    state: {
      step,
      parameters: flatParameters(
        model,
        tensors.filter(({ name }) => !isVelocity(name)),
      ),
      velocity: flatParameters(model, velocity),
      ...(loss === undefined ? {} : { loss }),
    },
    meta,
  };
}
