import type {
  Codec,
  CodecError,
  ErrorWire,
  StreamProducer,
  StreamRecord,
  ViewSpec,
} from '@fidelis/contracts';
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

  @Column({ type: 'int', default: 0 })
  incarnation!: number;

  /** Of all incarnations: those before it were published before. */
  @Column({ type: 'int', name: 'reached_steps', default: 0 })
  reachedSteps!: number;

  @Column({ type: 'text', name: 'waits_for', nullable: true })
  waitsFor!: StreamRecord['waitsFor'];

  @Column({ type: 'jsonb' })
  producers!: StreamProducer[];

  @Column({ type: 'jsonb', name: 'codec_error', nullable: true })
  codecError!: CodecError | null;

  @Column({ type: 'float8', name: 'teacher_seconds' })
  teacherSeconds!: number;

  @Column({ type: 'jsonb', nullable: true })
  error!: ErrorWire | null;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  /** When a run was attached to it or released last: those that were not used for longest make room first. */
  @Column({ type: 'timestamptz', name: 'last_used_at' })
  lastUsedAt!: Date;

  /** Replica that produces it. Saves the others the work; what is stored does not depend on it. */
  @Column({ type: 'text', name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column({ type: 'timestamptz', name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;
}
