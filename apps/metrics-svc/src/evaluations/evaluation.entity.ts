import type { EvaluationRecordInput } from '@fidelis/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A complete evaluation. */
@Entity({ name: 'evaluations' })
export class EvaluationRow {
  /** `<runId>.<set>.<step>` */
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text', name: 'run_id' })
  runId!: string;

  @Column({ type: 'int' })
  step!: number;

  /** Of its time: what it lacks was not measured yet. */
  @Column({ type: 'jsonb' })
  record!: EvaluationRecordInput;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
