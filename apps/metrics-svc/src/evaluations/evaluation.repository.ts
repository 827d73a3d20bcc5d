import {
  EVALUATIONS_PER_ANSWER,
  evaluationRecordSchema,
  metricsEvents,
  type EvaluationRecord,
  type EvaluationRequest,
  type EventPayload,
} from '@fidelis/contracts';
import type { EvaluationEngine } from '@fidelis/fidelity';
import { outgoingEvent, type Outbox } from '@fidelis/persistence';
import type { DataSource, EntityManager } from 'typeorm';
import { completeEvaluation, evaluationId, type CompleteEvaluation } from './complete-evaluation.js';
import { EvaluationDetailsRow } from './evaluation-details.entity.js';
import { EvaluationRow } from './evaluation.entity.js';
import { ScoredRangeRow } from './scored-range.entity.js';
import { StoredRanges } from './stored-ranges.js';

export interface EvaluationFilter {
  readonly runIds: readonly string[];
  readonly final?: boolean | undefined;
  /** Id of the evaluation before the first one that is wanted. */
  readonly after?: string | undefined;
}

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
   * at the same time at two replicas. The engine is used up.
   *
   * @returns the evaluation, if this part completed it
   */
  async addPart(
    request: EvaluationRequest,
    part: number,
    engine: EvaluationEngine,
  ): Promise<CompleteEvaluation | undefined> {
    const id = evaluationId(request);
    const complete = await this.dataSource.transaction(async (manager) => {
      // Two parts of one evaluation at two replicas: the second waits here, so that one of them sees all parts.
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [id]);
      if (await manager.existsBy(EvaluationRow, { id })) return undefined;
      const whole = await new StoredRanges(manager, id).add(part, engine, request.parts);
      return whole === undefined ? undefined : this.store(manager, request, whole);
    });
    this.outbox.kick();
    return complete;
  }

  private async store(
    manager: EntityManager,
    request: EvaluationRequest,
    whole: EvaluationEngine,
  ): Promise<CompleteEvaluation> {
    const complete = completeEvaluation(request, whole);
    const { record, details } = complete;
    const { id, runId, step } = record;
    await manager.insert(EvaluationRow, {
      id,
      runId,
      step,
      record,
      createdAt: new Date(record.createdAt),
    });
    await manager.insert(EvaluationDetailsRow, { evaluationId: id, ...details });
    await this.outbox.add(
      manager,
      outgoingEvent(metricsEvents.evaluated, runId, record, request.correlationId),
    );
    return complete;
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

  /** All evaluations of the run, and what was summed up for those that are not complete. */
  async removeRun(runId: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.delete(EvaluationRow, { runId });
      // Ids are <runId>.<set>.<step>, and a run's id has no dot.
      await manager
        .createQueryBuilder()
        .delete()
        .from(ScoredRangeRow)
        .where("split_part(evaluation_id, '.', 1) = :runId", { runId })
        .execute();
    });
  }

  async find(id: string): Promise<EvaluationRecord | undefined> {
    const row = await this.dataSource.manager.findOneBy(EvaluationRow, { id });
    return row === null ? undefined : evaluationRecordSchema.parse(row.record);
  }

  /** By run, step, id: as many as one answer takes, and the id to go on after if there are more. */
  async list({ runIds, final, after }: EvaluationFilter): Promise<{
    readonly evaluations: EvaluationRecord[];
    readonly next: string | null;
  }> {
    const query = this.dataSource.manager
      .createQueryBuilder(EvaluationRow, 'e')
      .where('e.run_id = ANY(:runIds)', { runIds: [...runIds] })
      .orderBy({ 'e.run_id': 'ASC', 'e.step': 'ASC', 'e.id': 'ASC' })
      .limit(EVALUATIONS_PER_ANSWER + 1);
    if (final !== undefined) query.andWhere("(e.record ->> 'final')::boolean = :final", { final });
    if (after !== undefined) {
      query.andWhere(
        '(e.run_id, e.step, e.id) > (SELECT run_id, step, id FROM evaluations WHERE id = :after)',
        { after },
      );
    }
    const rows = await query.getMany();
    const page = rows.slice(0, EVALUATIONS_PER_ANSWER);
    return {
      evaluations: page.map(({ record }) => evaluationRecordSchema.parse(record)),
      next: rows.length > page.length ? (page.at(-1)?.id ?? null) : null,
    };
  }
}
