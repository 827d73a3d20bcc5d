import type { Codec, ErrorWire, StreamRecord, ViewSpec } from '@fidelis/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'streams' })
export class StreamRow {
  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ type: 'text', name: 'teacher_id' })
  teacherId!: string;

  @Column({ type: 'text', name: 'teacher_digest' })
  teacherDigest!: string;

  @Column({ type: 'jsonb' })
  view!: ViewSpec;

  @Column({ type: 'text' })
  codec!: Codec;

  @Column({ type: 'int' })
  members!: number;

  @Column({ type: 'int' })
  classes!: number;

  @Column({ type: 'int' })
  steps!: number;

  @Column({ type: 'int' })
  parts!: number;

  @Column({ type: 'int', name: 'part_rows' })
  partRows!: number;

  @Column({ type: 'text' })
  state!: StreamRecord['state'];

  @Column({ type: 'int', name: 'published_steps' })
  publishedSteps!: number;

  @Column({ type: 'float8', name: 'published_bytes' })
  publishedBytes!: number;

  @Column({ type: 'float8', name: 'teacher_seconds' })
  teacherSeconds!: number;

  @Column({ type: 'jsonb', nullable: true })
  error!: ErrorWire | null;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
