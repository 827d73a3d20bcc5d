import { FidelisError, type ArchitectureName, type ArchitectureSpec } from '@fidelis/contracts';
import { nearestName, type InputShape } from '@fidelis/data';
import { bilstm } from './bilstm.js';
import { lenet5 } from './lenet5.js';
import { mlp } from './mlp.js';
import type { Model } from './model.js';
import { preresnet } from './preresnet.js';
import { resnet50 } from './resnet50.js';
import { vgg16 } from './vgg16.js';

type Architecture = (spec: ArchitectureSpec, inputShape: InputShape, classes: number) => Model;

const DEFINITIONS: Readonly<Record<ArchitectureName, Architecture>> = {
  lenet5,
  mlp,
  preresnet20: preresnet(20),
  preresnet56: preresnet(56),
  preresnet110: preresnet(110),
  vgg16,
  resnet50,
  bilstm,
};

/** Which architectures a field of the spec is for. */
const FIELDS: Readonly<Record<Exclude<keyof ArchitectureSpec, 'name'>, readonly ArchitectureName[]>> = {
  hiddenUnits: ['mlp'],
  norm: ['preresnet20', 'preresnet56', 'preresnet110'],
};

/**
 * @throws FidelisError MODEL.UNKNOWN, naming the known architectures; MODEL.MISMATCH if the architecture cannot take this input
 */
export function createModel(spec: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  const known: Readonly<Record<string, Architecture>> = DEFINITIONS;
  const define = Object.hasOwn(known, spec.name) ? known[spec.name] : undefined;
  if (define === undefined) {
    const names = Object.keys(known);
    const near = nearestName(spec.name, names);
    throw new FidelisError(
      'MODEL.UNKNOWN',
      `there is no architecture "${spec.name}"${near === undefined ? '' : `; did you mean "${near}"?`} Known: ${names.join(', ')}`,
    );
  }
  for (const [field, names] of Object.entries(FIELDS)) {
    if (!Object.hasOwn(spec, field) || names.includes(spec.name)) continue;
    throw new FidelisError(
      'MODEL.MISMATCH',
      `${spec.name} has no ${field} to choose: leave the field out; it is for ${names.join(', ')}`,
    );
  }
  return define(spec, inputShape, classes);
}
