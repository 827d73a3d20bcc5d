import {
  metricsEvents,
  type EvaluationRecord,
  type EvaluationRequest,
  type EventPayload,
} from '@fidelis/contracts';
import { EvaluationAccumulator } from '@fidelis/fidelity';
import { outgoingEvent, type Outbox } from '@fidelis/persistence';
import { In, type DataSource, type EntityManager } from 'typeorm';
import { EvaluationRow } from './evaluation.entity.js';
import { ScoredPartRow } from './scored-part.entity.js';

/** Makes the record of a complete evaluation from its parts. */
export type CompleteEvaluation = (
  request: EvaluationRequest,
  whole: EvaluationAccumulator,
) => EvaluationRecord;

export class EvaluationRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  async exists(id: string): Promise<boolean> {
    return this.dataSource.manager.existsBy(EvaluationRow, { id });
  }

  /**
   * Keeps a part; with the last one the evaluation is complete, stored once, and told. All in one transaction, so that a part may come again, also
   * at the same time at two replicas.
   *
   * @returns the evaluation, if this part completed it
   */
  async addPart(
    request: EvaluationRequest,
    part: number,
    accumulator: EvaluationAccumulator,
    complete: CompleteEvaluation,
  ): Promise<EvaluationRecord | undefined> {
    const id = evaluationId(request);
    const record = await this.dataSource.transaction(async (manager) => {
      // Two parts of one evaluation at two replicas: the second waits here, so that one of them sees all parts.
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [id]);
      if (await manager.existsBy(EvaluationRow, { id })) return undefined;
      await manager.upsert(ScoredPartRow, { evaluationId: id, part, state: accumulator.toJSON() }, [
        'evaluationId',
        'part',
      ]);
      return this.completeIfWhole(manager, request, complete);
    });
    this.outbox.kick();
    return record;
  }

  private async completeIfWhole(
    manager: EntityManager,
    request: EvaluationRequest,
    complete: CompleteEvaluation,
  ): Promise<EvaluationRecord | undefined> {
    const where = { evaluationId: evaluationId(request) };
    const parts = await manager.find(ScoredPartRow, { where, order: { part: 'ASC' } });
    const [first, ...rest] = parts.map(({ state }) => EvaluationAccumulator.fromJSON(state));
    if (first === undefined || parts.length < request.parts) return undefined;
    for (const other of rest) first.merge(other);
    const record = complete(request, first);
    const { id, runId, step } = record;
    await manager.insert(EvaluationRow, {
      id,
      runId,
      step,
      record,
      createdAt: new Date(record.createdAt),
    });
    await manager.delete(ScoredPartRow, { evaluationId: id });
    await this.outbox.add(
      manager,
      outgoingEvent(metricsEvents.evaluated, runId, record, request.correlationId),
    );
    return record;
  }

  /** What could not be scored is told, so that nobody waits for it. */
  async tellFailure(
    message: EventPayload<typeof metricsEvents.failed>,
    correlationId: string,
  ): Promise<void> {
    await this.dataSource.transaction((manager) =>
      this.outbox.add(manager, outgoingEvent(metricsEvents.failed, message.runId, message, correlationId)),
    );
    this.outbox.kick();
  }

  async ofRuns(runIds: readonly string[]): Promise<EvaluationRecord[]> {
    const rows = await this.dataSource.manager.find(EvaluationRow, {
      where: { runId: In([...runIds]) },
      order: { runId: 'ASC', step: 'ASC', id: 'ASC' },
    });
    return rows.map(({ record }) => record);
  }
}

export function evaluationId({ runId, set, step }: EvaluationRequest): string {
  return `${runId}.${set}.${step}`;
}
