import type { Split } from '@fidelis/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A teacher's f32 logits on a whole split; without an artifact while they are only asked for. */
@Entity({ name: 'prediction_tables' })
export class PredictionTableRow {
  @PrimaryColumn({ type: 'text', name: 'teacher_id' })
  teacherId!: string;

  @PrimaryColumn({ type: 'text' })
  split!: Split;

  @Column({ type: 'text', nullable: true })
  artifact!: string | null;

  @Column({ type: 'int', nullable: true })
  rows!: number | null;
}
