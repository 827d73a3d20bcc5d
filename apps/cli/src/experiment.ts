import { FidelisError, type ErrorCode, type ExperimentSpec } from '@fidelis/contracts';
import { GET_RUN_DETAILS, START_RUN, type RunDetails, type RunView } from './gateway/documents.js';
import { followRun } from './gateway/follow-run.js';
import type { GatewayClient } from './gateway/gateway-client.js';
import { locateServiceError, type SpecFile } from './spec/read-spec.js';

export interface SpecOverrides {
  readonly epochs?: number | undefined;
  readonly seed?: number | undefined;
  readonly placement?: ExperimentSpec['placement'] | undefined;
}

/** The spec with what was asked for on the command line. */
export function withOverrides(
  spec: ExperimentSpec,
  { epochs, seed, placement }: SpecOverrides,
): ExperimentSpec {
  return {
    ...spec,
    ...(seed === undefined ? {} : { seed }),
    ...(placement === undefined ? {} : { placement }),
    student: { ...spec.student, ...(epochs === undefined ? {} : { epochs }) },
  };
}

/** @throws FidelisError the service's; what it says about fields comes with the lines of the file */
export async function startExperiment(
  client: GatewayClient,
  { source }: Pick<SpecFile, 'source'>,
  spec: ExperimentSpec,
  signal: AbortSignal,
): Promise<RunView> {
  try {
    return (await client.request(START_RUN, { spec }, signal)).startRun;
  } catch (error) {
    throw locateServiceError(error, source);
  }
}

/**
 * Follows a run and returns it with its evaluations once it is completed.
 *
 * @throws FidelisError the run's own error if it failed, RUN.CANCELLED; `details.run` is its id
 */
export async function completedRun(
  client: GatewayClient,
  start: RunView,
  onUpdate: (run: RunView) => void,
  signal: AbortSignal,
): Promise<RunDetails> {
  const ended = await followRun(client, start, { onUpdate, signal });
  if (ended.state === 'completed')
    return (await client.request(GET_RUN_DETAILS, { id: ended.id }, signal)).run;
  const code: ErrorCode = ended.error?.code ?? (ended.state === 'cancelled' ? 'RUN.CANCELLED' : 'INTERNAL');
  throw new FidelisError(code, `run ${ended.id} ${endText(ended)}`, {
    details: { ...ended.error?.details, run: ended.id, correlationId: ended.correlationId },
    ...(ended.error === null ? {} : { retryable: ended.error.retryable }),
  });
}

function endText({ state, error }: RunView): string {
  if (error !== null) return `${state}: ${error.message}`;
  return state === 'cancelled' ? 'was cancelled' : `${state} and left no reason`;
}
