import type {
  DatasetRef,
  ErrorWire,
  ExperimentSpec,
  RunRecord,
  RunStage,
  RunState,
  StreamRecord,
  TeacherRecord,
  TrainedTeacherSpec,
} from '@fidelis/contracts';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The part of a teacher that its student may start from. */
export type TeacherStart = Pick<TeacherRecord, 'memberModels'> & Pick<TrainedTeacherSpec, 'architecture'>;

/** What control knows of a run beyond what people see. */
export interface RunPlan {
  /** The stream that the student reads, once it is open. */
  readonly stream: StreamRecord | null;
  /** What a student may start from, once the teacher is ready. */
  readonly teacher?: TeacherStart;
  /** Datasets that the view draws on besides the run's own, as they were when it was started. */
  readonly others?: readonly DatasetRef[];
  /** Samples of the view. */
  readonly viewRows: number;
  /** Fencing token of the attempt whose reports count. */
  readonly token: number;
  readonly cancelRequested: boolean;
  /** Sets of the finished student that are scored. */
  readonly evaluatedSets: readonly string[];
  /** Frames that its training asked for, once it is done; absent in runs of before, whose account is not kept. */
  readonly framesNeeded?: number;
}

@Entity({ name: 'runs' })
export class RunRow {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Index()
  @Column({ type: 'text' })
  state!: RunState;

  @Column({ type: 'text', name: 'teacher_id', nullable: true })
  teacherId!: string | null;

  @Column({ type: 'text', name: 'stream_key', nullable: true })
  streamKey!: string | null;

  @Column({ type: 'jsonb' })
  spec!: ExperimentSpec;

  @Column({ type: 'jsonb' })
  stages!: RunStage[];

  @Column({ type: 'jsonb' })
  progress!: RunRecord['progress'];

  @Column({ type: 'jsonb' })
  lineage!: RunRecord['lineage'];

  @Column({ type: 'jsonb' })
  frames!: RunRecord['frames'];

  @Column({ type: 'jsonb' })
  plan!: RunPlan;

  @Column({ type: 'int' })
  attempts!: number;

  @Column({ type: 'jsonb', nullable: true })
  error!: ErrorWire | null;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  /** Order of creation: cursors need one that has no ties. */
  @Column({ type: 'bigint', insert: false, update: false })
  ordinal!: string;

  /** Whether the streams know that it reads no more. */
  @Column({ type: 'boolean' })
  released!: boolean;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'started_at', nullable: true })
  startedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
