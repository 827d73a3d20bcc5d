import {
  decodeFrame,
  EVALUATION_HEADER,
  evaluationRequestSchema,
  FidelisError,
  parseTolerant,
  predictionKey,
  type EvaluationRequest,
  type LogitFrame,
} from '@fidelis/contracts';

export interface PredictionPart {
  readonly request: EvaluationRequest;
  readonly frame: LogitFrame;
}

/**
 * One message of FIDELIS_PREDICTIONS.
 *
 * @throws FidelisError REQUEST.INVALID without a readable header; FRAME.INVALID; FRAME.FOREIGN where header and frame do
 *   not belong together
 */
export function decodePrediction(header: string | undefined, data: Uint8Array): PredictionPart {
  if (header === undefined || header === '') {
    throw new FidelisError('REQUEST.INVALID', `the predictions lack the header ${EVALUATION_HEADER}`);
  }
  const request = parseTolerant(evaluationRequestSchema, parseHeader(header));
  const frame = decodeFrame(data);
  const expected = predictionKey(request.runId, request.set, request.step);
  if (frame.streamKey !== expected || frame.parts !== request.parts || frame.step !== request.step) {
    throw new FidelisError(
      'FRAME.FOREIGN',
      'the frame does not belong to the evaluation that its header names',
      {
        details: {
          expected,
          streamKey: frame.streamKey,
          part: frame.part,
          parts: frame.parts,
          step: frame.step,
        },
      },
    );
  }
  return { request, frame };
}

function parseHeader(header: string): unknown {
  try {
    return JSON.parse(header);
  } catch (cause) {
    throw new FidelisError('REQUEST.INVALID', `the header ${EVALUATION_HEADER} is not JSON`, { cause });
  }
}
