import { Controller, Inject } from '@nestjs/common';
import { FidelisError, type EvaluationRequest } from '@fidelis/contracts';
import { isPlatformOutage, OnPredictions, type MessageContext, type PredictionPart } from '@fidelis/bus';
import { LOGGER, runInContext, type Logger } from '@fidelis/observability';
import { isUnavailable } from '@fidelis/persistence';
import { evaluationId, type CompleteEvaluation } from './complete-evaluation.js';
import { EvaluationRepository } from './evaluation.repository.js';
import { PartScorer } from './part-scorer.js';
import { EvaluationSeries } from './series.js';

/** Deliveries of a part that can be scored later, as while its teacher is at work: about half an hour. */
const MAX_DELIVER = 1_000;

@Controller()
export class EvaluationController {
  constructor(
    @Inject(PartScorer) private readonly scorer: PartScorer,
    @Inject(EvaluationRepository) private readonly evaluations: EvaluationRepository,
    @Inject(EvaluationSeries) private readonly series: EvaluationSeries,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Acknowledged after the transaction. While the teacher is still scoring, the part comes again. */
  @OnPredictions({ durable: 'metrics-svc', maxDeliver: MAX_DELIVER, backoffMs: [500, 1_000, 2_000] })
  async score({ request, frame }: PredictionPart, { deliveryCount }: MessageContext): Promise<void> {
    await runInContext({ runId: request.runId, correlationId: request.correlationId }, async () => {
      try {
        if (await this.evaluations.exists(evaluationId(request))) return;
        const engine = await this.scorer.score(request, frame);
        const complete = await this.evaluations.addPart(request, frame.part, engine);
        if (complete !== undefined) this.announce(complete);
      } catch (error) {
        if (isFinal(error, deliveryCount)) await this.tellFailure(request, FidelisError.from(error));
        throw error;
      }
    });
  }

  /** Once for each evaluation that this process completed, after the commit. */
  private announce({ record, reliability }: CompleteEvaluation): void {
    const { set, step, n, fidelity } = record;
    const { top1Agreement, predictiveKl } = fidelity;
    this.series.show(record, reliability);
    this.logger.info({ set, step, n, top1Agreement, predictiveKl }, 'evaluated');
  }

  /** A part that is not scored goes to the dead letters (the strategy does that), and the run is told: it would wait without end. */
  private async tellFailure(request: EvaluationRequest, error: FidelisError): Promise<void> {
    const { runId, set, step, correlationId } = request;
    await this.evaluations.tellFailure({ runId, set, step, error: error.toWire() }, correlationId);
  }
}

/** True if the strategy sets the part aside: it can never be scored, or it was tried often enough. An outage is neither. */
function isFinal(error: unknown, deliveryCount: number): boolean {
  if (FidelisError.is(error) && !error.retryable) return true;
  return deliveryCount >= MAX_DELIVER && !isPlatformOutage(error) && !isUnavailable(error);
}
