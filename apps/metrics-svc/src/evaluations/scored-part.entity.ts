import type { EvaluationState } from '@fidelis/fidelity';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The accumulators of one part of an evaluation that is not complete yet. Its key makes a redelivered part harmless. */
@Entity({ name: 'scored_parts' })
export class ScoredPartRow {
  @PrimaryColumn({ type: 'text', name: 'evaluation_id' })
  evaluationId!: string;

  @PrimaryColumn({ type: 'int' })
  part!: number;

  @Column({ type: 'jsonb' })
  state!: EvaluationState;
}
