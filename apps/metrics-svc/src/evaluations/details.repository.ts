import type { DetailOf, DetailSection, DisagreementCell, EvaluationDetail } from '@fidelis/contracts';
import type { DataSource } from 'typeorm';
import { EvaluationDetailsRow } from './evaluation-details.entity.js';

type Asked<Name extends DetailSection['section']> = Extract<DetailSection, { section: Name }>;

interface StoredCells {
  readonly classes: number;
  readonly disagreements: readonly number[];
  readonly agreements: readonly number[];
  readonly disagreement_count: number;
  readonly agreement_count: number;
}

/** Sections of complete evaluations. Null where an evaluation has no details. */
export class DetailsRepository {
  constructor(private readonly dataSource: DataSource) {}

  read(asked: DetailSection): Promise<EvaluationDetail | null> {
    switch (asked.section) {
      case 'reliability':
        return this.reliability(asked);
      case 'perClass':
        return this.perClass(asked);
      case 'disagreement':
        return this.disagreement(asked);
    }
  }

  private async reliability({ evaluationId }: Asked<'reliability'>): Promise<DetailOf<'reliability'> | null> {
    const row = await this.dataSource.manager.findOne(EvaluationDetailsRow, {
      where: { evaluationId },
      select: { evaluationId: true, reliability: true },
    });
    if (row === null) return null;
    const { teacher, student, fidelity } = row.reliability;
    return { section: 'reliability', teacher: [...teacher], student: [...student], fidelity: [...fidelity] };
  }

  private async perClass({
    evaluationId,
    from,
    first,
  }: Asked<'perClass'>): Promise<DetailOf<'perClass'> | null> {
    const row = await this.dataSource.manager.findOne(EvaluationDetailsRow, {
      where: { evaluationId },
      select: { evaluationId: true, perClass: true },
    });
    return row === null ? null : { section: 'perClass', perClass: row.perClass.slice(from, from + first) };
  }

  /** The database cuts the arrays: of a million cells only those that are wanted travel. */
  private async disagreement({
    evaluationId,
    first,
    includeAgreement,
  }: Asked<'disagreement'>): Promise<DetailOf<'disagreement'> | null> {
    const [row] = await this.dataSource.manager.query<StoredCells[]>(
      `SELECT classes,
         disagreements[1:$2] AS disagreements,
         agreements[1:$3] AS agreements,
         cardinality(disagreements) / 3 AS disagreement_count,
         cardinality(agreements) / 3 AS agreement_count
       FROM evaluation_details WHERE evaluation_id = $1`,
      [evaluationId, 3 * first, includeAgreement ? 3 * first : 0],
    );
    if (row === undefined) return null;
    const cells = [...cellsOf(row.disagreements), ...cellsOf(row.agreements)].toSorted(bySize);
    return {
      section: 'disagreement',
      classes: row.classes,
      total: row.disagreement_count + (includeAgreement ? row.agreement_count : 0),
      cells: cells.slice(0, first),
    };
  }
}

function cellsOf(triples: readonly number[]): DisagreementCell[] {
  return Array.from({ length: triples.length / 3 }, (_, index) => {
    const [teacher = 0, student = 0, count = 0] = triples.slice(3 * index, 3 * index + 3);
    return { teacher, student, count };
  });
}

function bySize(a: DisagreementCell, b: DisagreementCell): number {
  return b.count - a.count || a.teacher - b.teacher || a.student - b.student;
}
