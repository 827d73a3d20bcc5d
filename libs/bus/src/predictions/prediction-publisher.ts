import {
  EVALUATION_HEADER,
  evaluationRequestSchema,
  FidelisError,
  parseStrict,
  predictionKey,
  predictionSubject,
  type EvaluationRequest,
} from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { BusPublisher } from '../connection/bus-publisher.js';
import { correlatedHeaders } from '../connection/correlation.js';

export class PredictionPublisher {
  private readonly publisher: BusPublisher;

  constructor(connection: NatsConnection) {
    this.publisher = new BusPublisher(connection);
  }

  /**
   * Stores the predictions of one set, part by part; while NATS is away it waits. Published twice within two minutes,
   * they are there once; later they are there twice, and whoever scores them must not mind.
   *
   * @param frames the encoded frames, in the order of their parts
   * @throws FidelisError REQUEST.INVALID where the number of frames is not `request.parts`
   */
  async publish(
    request: EvaluationRequest,
    frames: readonly Uint8Array[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const header = JSON.stringify(parseStrict(evaluationRequestSchema, request));
    if (frames.length !== request.parts) {
      throw new FidelisError('REQUEST.INVALID', `${frames.length} frames for ${request.parts} parts`);
    }
    const subject = predictionSubject(request.runId, request.set, request.step);
    const key = predictionKey(request.runId, request.set, request.step);
    for (const [part, frame] of frames.entries()) {
      const headers = correlatedHeaders(request.correlationId);
      headers.set(EVALUATION_HEADER, header);
      await this.publisher.store(subject, frame, {
        headers,
        messageId: `${key}.${part}`,
        signal: options.signal,
      });
    }
  }
}
