import type { ClassFiguresRecord, ReliabilityBinRecord } from '@fidelis/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

export interface ReliabilityDiagrams {
  readonly teacher: readonly ReliabilityBinRecord[];
  readonly student: readonly ReliabilityBinRecord[];
  readonly fidelity: readonly ReliabilityBinRecord[];
}

/** What of a complete evaluation has one value per bin, class or cell; evaluations from before it was kept have no row. */
@Entity({ name: 'evaluation_details' })
export class EvaluationDetailsRow {
  @PrimaryColumn({ type: 'text', name: 'evaluation_id' })
  evaluationId!: string;

  @Column({ type: 'int' })
  classes!: number;

  @Column({ type: 'json' })
  reliability!: ReliabilityDiagrams;

  @Column({ type: 'json', name: 'per_class' })
  perClass!: readonly ClassFiguresRecord[];

  /** Where both predict the same class: teacher's class, student's class, count, … by falling count. */
  @Column({ type: 'int', array: true })
  agreements!: number[];

  /** Where they do not, likewise. */
  @Column({ type: 'int', array: true })
  disagreements!: number[];
}
