import { FidelisError, type DatasetRef } from '@fidelis/contracts';
import type { ArtifactStore } from '@fidelis/bus';
import { archiveDataset } from '@fidelis/data';
import type { Logger } from '@fidelis/observability';
import { DataSource } from 'typeorm';
import { DatasetArchiveRow } from './dataset-archive.entity.js';

/** Datasets that people have added here, in the artifact store: whoever trains or scores on them may be a machine that lacks them. */
export class DatasetArchives {
  private readonly underWay = new Map<string, Promise<string | undefined>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly artifacts: Pick<ArtifactStore, 'has' | 'putStream'>,
    private readonly logger: Logger,
  ) {}

  /**
   * Sees to it that the archive is stored, of a dataset that is not built in.
   *
   * @returns its artifact; undefined where there is none and this machine cannot make one
   * @throws FidelisError DATASET.CORRUPT naming the file
   */
  async ensure(dataset: DatasetRef): Promise<string | undefined> {
    const known = this.underWay.get(dataset.digest);
    if (known !== undefined) return known;
    const storing = this.storeUnlessThere(dataset).finally(() => this.underWay.delete(dataset.digest));
    this.underWay.set(dataset.digest, storing);
    return storing;
  }

  /** @throws FidelisError DATASET.UNKNOWN, DATASET.CORRUPT */
  async locate(dataset: DatasetRef): Promise<string> {
    const archive = await this.ensure(dataset);
    if (archive !== undefined) return archive;
    const { name, digest } = dataset;
    throw new FidelisError(
      'DATASET.UNKNOWN',
      `there is no archive of the dataset "${name}" (${digest}), and the control of student-svc has no such dataset either: ` +
        `add it to the machine that lacks it, or to that of the control (fidelis data add --name ${name}, FIDELIS_DATASETS_DIR)`,
      { details: { dataset: name, digest } },
    );
  }

  /** Artifacts by the digests of their datasets. */
  async all(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.dataSource.manager.find(DatasetArchiveRow);
    return new Map(rows.map(({ digest, archive }) => [digest, archive]));
  }

  private async storeUnlessThere(dataset: DatasetRef): Promise<string | undefined> {
    const { name, digest } = dataset;
    const row = await this.dataSource.manager.findOneBy(DatasetArchiveRow, { digest });
    if (row !== null && (await this.artifacts.has(row.archive))) return row.archive;
    const archive = await archiveDataset(dataset);
    if (archive === undefined) return undefined;
    const { sha256, bytes } = archive;
    await this.artifacts.putStream(sha256, archive.read());
    await this.dataSource.manager.upsert(
      DatasetArchiveRow,
      { digest, name, archive: sha256, bytes: String(bytes), createdAt: new Date() },
      ['digest'],
    );
    this.logger.info(
      { dataset: name, digest, archive: sha256, bytes },
      'a dataset was stored for machines that lack it',
    );
    return sha256;
  }
}
