import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where in the artifact store a dataset is, for machines that lack it. */
@Entity({ name: 'dataset_archives' })
export class DatasetArchiveRow {
  /** Of the dataset. */
  @PrimaryColumn({ type: 'text' })
  digest!: string;

  /** Under which it was added. */
  @Column({ type: 'text' })
  name!: string;

  /** Artifact. */
  @Column({ type: 'text' })
  archive!: string;

  @Column({ type: 'bigint' })
  bytes!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
