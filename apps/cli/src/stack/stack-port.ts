import type { ComputeDevice } from '@fidelis/compute';
import type { Finding as PartFinding, ProgramEvent, Stack, StackOptions } from '@fidelis/embedded';

/** What the commands need of an embedded stack; tests bring their own. */
export type StackHandle = Pick<Stack, 'gatewayUrl' | 'services' | 'failed' | 'stop'>;

/** @throws FidelisError STACK.ALREADY_RUNNING, PORT.IN_USE, STORAGE.UNWRITABLE, SETUP.MISSING, STACK.SERVICE_FAILED */
export type LaunchStack = (
  options: Pick<StackOptions, 'dataDir' | 'gatewayPort' | 'gpu' | 'env' | 'onEvent' | 'signal' | 'hurry'>,
) => Promise<StackHandle>;

export interface Finding extends PartFinding {
  /** Of the backend: what computes. */
  readonly device?: ComputeDevice;
}

export type Diagnose = () => Promise<readonly Finding[]>;

export type { ProgramEvent };
