import { FidelisError, type ArchitectureName, type ArchitectureSpec } from '@fidelis/contracts';
import { nearestName, type InputShape } from '@fidelis/data';
import { lenet5 } from './lenet5.js';
import { mlp } from './mlp.js';
import type { Model } from './model.js';

type Architecture = (spec: ArchitectureSpec, inputShape: InputShape, classes: number) => Model;

const DEFINITIONS: Readonly<Record<ArchitectureName, Architecture>> = { lenet5, mlp };

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
  return define(spec, inputShape, classes);
}
