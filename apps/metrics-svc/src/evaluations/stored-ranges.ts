import { EvaluationEngine } from '@fidelis/fidelity';
import type { EntityManager } from 'typeorm';
import { mergesOf, type PartRange } from './part-tree.js';
import { ScoredRangeRow } from './scored-range.entity.js';

/** The parts of one evaluation that are there so far, as ranges. Its caller holds the evaluation's lock. */
export class StoredRanges {
  constructor(
    private readonly manager: EntityManager,
    private readonly evaluationId: string,
  ) {}

  /** @returns the engine over all parts, and nothing is stored any more, if this was the last one */
  async add(part: number, engine: EvaluationEngine, parts: number): Promise<EvaluationEngine | undefined> {
    const { manager, evaluationId } = this;
    const stored = await manager.find(ScoredRangeRow, {
      where: { evaluationId },
      select: { evaluationId: true, first: true, parts: true },
      order: { first: 'ASC' },
    });
    const merges = mergesOf(stored, part);
    if (merges === undefined) return undefined;
    let merged = { first: part, engine };
    for (const { first } of merges.absorbed) merged = await this.join(merged, first);
    const others = stored.filter(({ first }) => !merges.absorbed.some((range) => range.first === first));
    const { result } = merges;
    if (others.reduce((sum, range) => sum + range.parts, result.parts) < parts) {
      await manager.insert(ScoredRangeRow, { evaluationId, ...result, state: merged.engine.toJSON() });
      return undefined;
    }
    return this.joinAll([...others, result], merged.engine, result);
  }

  private async joinAll(
    ranges: readonly PartRange[],
    engine: EvaluationEngine,
    at: PartRange,
  ): Promise<EvaluationEngine> {
    let whole: EvaluationEngine | undefined;
    for (const { first } of ranges.toSorted((a, b) => a.first - b.first)) {
      const next = first === at.first ? engine : await this.take(first);
      if (whole === undefined) whole = next;
      else whole.merge(next);
    }
    return whole ?? engine;
  }

  /** The earlier parts come first in every merge. */
  private async join(
    { first, engine }: { readonly first: number; readonly engine: EvaluationEngine },
    siblingFirst: number,
  ): Promise<{ first: number; engine: EvaluationEngine }> {
    const sibling = await this.take(siblingFirst);
    const [left, right] = siblingFirst < first ? [sibling, engine] : [engine, sibling];
    left.merge(right);
    return { first: Math.min(first, siblingFirst), engine: left };
  }

  private async take(first: number): Promise<EvaluationEngine> {
    const key = { evaluationId: this.evaluationId, first };
    const { state } = await this.manager.findOneByOrFail(ScoredRangeRow, key);
    await this.manager.delete(ScoredRangeRow, key);
    return EvaluationEngine.fromJSON(state);
  }
}
