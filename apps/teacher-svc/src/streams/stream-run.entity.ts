import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A run that reads a stream: what it has not trained on is kept for it. */
@Entity({ name: 'stream_runs' })
export class StreamRunRow {
  @PrimaryColumn({ type: 'text', name: 'stream_key' })
  streamKey!: string;

  @PrimaryColumn({ type: 'text', name: 'run_id' })
  runId!: string;

  /** Steps that it reads. */
  @Column({ type: 'int' })
  steps!: number;

  @Column({ type: 'timestamptz', name: 'attached_at' })
  attachedAt!: Date;
}
