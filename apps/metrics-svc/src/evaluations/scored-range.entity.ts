import type { EngineState } from '@fidelis/fidelity';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The sums over a range of parts of an evaluation that is not complete yet: see `mergesOf`. */
@Entity({ name: 'scored_ranges' })
export class ScoredRangeRow {
  @PrimaryColumn({ type: 'text', name: 'evaluation_id' })
  evaluationId!: string;

  @PrimaryColumn({ type: 'int', name: 'first_part' })
  first!: number;

  @Column({ type: 'int' })
  parts!: number;

  /** As text: the numbers come back to the bit, and the database has no use for them. */
  @Column({ type: 'json' })
  state!: EngineState;
}
