import { Controller, Inject } from '@nestjs/common';
import { OnRpc } from '@fidelis/bus';
import {
  DETAIL_LIMITS,
  FidelisError,
  metricsRpc,
  type EvaluationDetail,
  type RpcRequest,
  type RpcResponse,
} from '@fidelis/contracts';
import { DetailsRepository } from './details.repository.js';
import { EvaluationRepository } from './evaluation.repository.js';

/** What others ask about complete evaluations, or want to have forgotten. No answer is larger than a message. */
@Controller()
export class EvaluationQueriesController {
  constructor(
    @Inject(EvaluationRepository) private readonly evaluations: EvaluationRepository,
    @Inject(DetailsRepository) private readonly details: DetailsRepository,
  ) {}

  @OnRpc(metricsRpc.evaluations)
  list(
    request: RpcRequest<typeof metricsRpc.evaluations>,
  ): Promise<RpcResponse<typeof metricsRpc.evaluations>> {
    return this.evaluations.list(request);
  }

  @OnRpc(metricsRpc.evaluation)
  async find({
    id,
  }: RpcRequest<typeof metricsRpc.evaluation>): Promise<RpcResponse<typeof metricsRpc.evaluation>> {
    const evaluation = await this.evaluations.find(id);
    if (evaluation !== undefined) return evaluation;
    throw new FidelisError(
      'EVALUATION.NOT_FOUND',
      `no evaluation has the id ${id}: ids are <run>.<set>.<step>, and a run's evaluations have theirs, once all predictions are scored`,
      { details: { id } },
    );
  }

  @OnRpc(metricsRpc.removeRun)
  async removeRun({
    runId,
  }: RpcRequest<typeof metricsRpc.removeRun>): Promise<RpcResponse<typeof metricsRpc.removeRun>> {
    await this.evaluations.removeRun(runId);
    return {};
  }

  @OnRpc(metricsRpc.evaluationDetails)
  async listDetails({
    sections,
  }: RpcRequest<typeof metricsRpc.evaluationDetails>): Promise<
    RpcResponse<typeof metricsRpc.evaluationDetails>
  > {
    const details: (EvaluationDetail | null)[] = [];
    let bytes = 0;
    for (const section of sections) {
      const detail = await this.details.read(section);
      bytes += JSON.stringify(detail).length;
      if (bytes > DETAIL_LIMITS.answerBytes && details.length > 0) break;
      details.push(detail);
    }
    return { details };
  }
}
