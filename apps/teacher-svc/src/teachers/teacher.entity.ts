import type { ErrorWire, Execution, StageProgress, TeacherRecord, TeacherSpec } from '@fidelis/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'teachers' })
export class TeacherRow {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  state!: TeacherRecord['state'];

  @Column({ type: 'jsonb' })
  spec!: TeacherSpec;

  @Column({ type: 'int' })
  classes!: number;

  @Column({ type: 'int' })
  members!: number;

  @Column({ type: 'text', name: 'weights_digest', nullable: true })
  weightsDigest!: string | null;

  /** Artifacts of the models, in the order of the members; null while training. */
  @Column({ type: 'jsonb', name: 'member_weights', nullable: true })
  memberWeights!: readonly string[] | null;

  /** How its training ran; null while it does, of an ensemble, and of teachers of before. */
  @Column({ type: 'jsonb', nullable: true })
  execution!: Execution | null;

  @Column({ type: 'jsonb' })
  progress!: StageProgress;

  @Column({ type: 'jsonb', nullable: true })
  error!: ErrorWire | null;

  /** Of the request that the current training is for. */
  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'ready_at', nullable: true })
  readyAt!: Date | null;
}
