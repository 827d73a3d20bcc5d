import { Controller, Inject } from '@nestjs/common';
import {
  FidelisError,
  metricsRpc,
  type EvaluationRecord,
  type EvaluationRequest,
  type RpcRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import {
  isPlatformOutage,
  OnPredictions,
  OnRpc,
  type MessageContext,
  type PredictionPart,
} from '@fidelis/bus';
import type { BinTotals, EvaluationAccumulator, ReliabilityState } from '@fidelis/fidelity';
import { LOGGER, runInContext, type Logger } from '@fidelis/observability';
import { isUnavailable } from '@fidelis/persistence';
import { evaluationId, EvaluationRepository } from './evaluation.repository.js';
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
        const accumulator = await this.scorer.score(request, frame);
        let whole = accumulator;
        const complete = await this.evaluations.addPart(request, frame.part, accumulator, (of, merged) => {
          whole = merged;
          return recordOf(of, merged);
        });
        if (complete !== undefined) this.announce(complete, reliabilityOf(whole));
      } catch (error) {
        if (isFinal(error, deliveryCount)) await this.tellFailure(request, FidelisError.from(error));
        throw error;
      }
    });
  }

  private announce(evaluation: EvaluationRecord, reliability: Parameters<EvaluationSeries['show']>[1]): void {
    const { set, step, n, fidelity } = evaluation;
    this.series.show(evaluation, reliability);
    this.logger.info({ set, step, n, ...fidelity }, 'evaluated');
  }

  /** A part that is not scored goes to the dead letters (the strategy does that), and the run is told: it would wait without end. */
  private async tellFailure(request: EvaluationRequest, error: FidelisError): Promise<void> {
    const { runId, set, step, correlationId } = request;
    await this.evaluations.tellFailure({ runId, set, step, error: error.toWire() }, correlationId);
  }

  @OnRpc(metricsRpc.evaluations)
  async list({
    runIds,
  }: RpcRequest<typeof metricsRpc.evaluations>): Promise<RpcResponse<typeof metricsRpc.evaluations>> {
    return { evaluations: await this.evaluations.ofRuns(runIds) };
  }
}

/** True if the strategy sets the part aside: it can never be scored, or it was tried often enough. An outage is neither. */
function isFinal(error: unknown, deliveryCount: number): boolean {
  if (FidelisError.is(error) && !error.retryable) return true;
  return deliveryCount >= MAX_DELIVER && !isPlatformOutage(error) && !isUnavailable(error);
}

function recordOf(request: EvaluationRequest, whole: EvaluationAccumulator): EvaluationRecord {
  const { runId, teacherId, set, step, epoch, final } = request;
  const { n, fidelity, teacher, student } = whole.result();
  const { bins, convention } = whole.toJSON().student.reliability;
  return {
    id: evaluationId(request),
    runId,
    teacherId,
    set,
    step,
    epoch,
    final,
    n,
    classes: whole.classes,
    bins,
    convention,
    fidelity,
    teacher,
    student,
    createdAt: new Date().toISOString(),
  };
}

function reliabilityOf(whole: EvaluationAccumulator): Parameters<EvaluationSeries['show']>[1] {
  const { teacher, student } = whole.toJSON();
  return {
    teacher: totalsOf(teacher.reliability),
    student: totalsOf(student.reliability),
    // This accumulator has no bins of the student against the teacher.
    fidelity: { count: [], correct: [], confidence: [] },
  };
}

function totalsOf({ count, correct, confidence }: ReliabilityState): BinTotals {
  return { count, correct, confidence: confidence.map(({ sum, correction }) => sum + correction) };
}
