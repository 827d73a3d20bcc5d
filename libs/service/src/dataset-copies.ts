import { datasetRpc, FidelisError, type DatasetRef } from '@fidelis/contracts';
import { whileWorking, type ArtifactStore, type MessageContext, type RpcClient } from '@fidelis/bus';
import { hasDataset, receiveDataset } from '@fidelis/data';
import type { Logger } from '@fidelis/observability';

/** For what a dataset is fetched: it is told that this goes on, and can end it. */
export type FetchedFor = Pick<MessageContext, 'working' | 'signal'>;

/** Brings datasets to a machine that lacks them, or has others under their names: from the artifact store, held to their digests. */
export class DatasetCopies {
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly artifacts: Pick<ArtifactStore, 'stream'>,
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly logger: Logger,
  ) {}

  /**
   * Returns when all of them can be loaded here.
   *
   * @throws FidelisError DATASET.UNKNOWN, DATASET.CORRUPT, ARTIFACT.NOT_FOUND, ARTIFACT.CORRUPT, STORAGE.UNWRITABLE; BUS.UNAVAILABLE, BUS.TIMEOUT
   */
  async ensure(datasets: readonly DatasetRef[], purpose?: FetchedFor): Promise<void> {
    for (const dataset of datasets) if (!hasDataset(dataset)) await this.fetchOnce(dataset, purpose);
  }

  private fetchOnce(dataset: DatasetRef, purpose: FetchedFor | undefined): Promise<void> {
    const known = this.underWay.get(dataset.digest);
    if (known !== undefined) return known;
    const fetching = this.fetch(dataset, purpose).finally(() => this.underWay.delete(dataset.digest));
    this.underWay.set(dataset.digest, fetching);
    return fetching;
  }

  private async fetch(dataset: DatasetRef, purpose: FetchedFor | undefined): Promise<void> {
    const { name, digest } = dataset;
    const archive = await this.locate(dataset, purpose);
    this.logger.info({ dataset: name, digest, archive }, 'a dataset is not here: fetching it');
    try {
      await receiveDataset(dataset, followed(await this.artifacts.stream(archive), purpose));
    } catch (error) {
      throw located(dataset, archive, error);
    }
    this.logger.info({ dataset: name, digest }, 'a dataset was fetched');
  }

  /** Control may have to store it first. */
  private async locate(dataset: DatasetRef, purpose: FetchedFor | undefined): Promise<string> {
    const { archive } = await whileWorking(purpose, () => this.rpc.call(datasetRpc.locate, dataset));
    return archive;
  }
}

/** Says at every chunk that there was one. */
async function* followed(
  chunks: AsyncIterable<Uint8Array>,
  purpose: FetchedFor | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    purpose?.signal.throwIfAborted();
    purpose?.working();
    yield chunk;
  }
}

/** Says where it was to come from, and what can be done. */
function located({ name, digest }: DatasetRef, archive: string, error: unknown): FidelisError {
  const failure = FidelisError.from(error);
  if (failure.retryable || failure.code === 'STORAGE.UNWRITABLE') return failure;
  return new FidelisError(
    failure.code,
    `the dataset "${name}" (${digest}) is not on this machine, and its archive in the artifact store (${archive}) is of no use: ${failure.message}. ` +
      `Add the dataset to this machine, too (fidelis data add --name ${name}, FIDELIS_DATASETS_DIR), or remove the archive (fidelis gc, once no run needs it) and start the run again`,
    { details: { ...failure.details, dataset: name, digest, archive }, cause: failure },
  );
}
