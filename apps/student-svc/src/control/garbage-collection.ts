import type { ArtifactInventory, RpcClient, RunPositions } from '@fidelis/bus';
import { FidelisError, referencesRpc, streamRpc, teacherRpc, type Garbage } from '@fidelis/contracts';
import type { DatasetArchives } from './dataset-archives.js';
import { findGarbage, type Inventory } from './find-garbage.js';
import type { RunRepository } from './run.repository.js';

export interface CollectionRequest {
  readonly dryRun: boolean;
  readonly olderThanSeconds: number;
}

/** Streams, artifacts and positions that nothing refers to. A service that does not answer stops it: what it would name is not known. */
export class GarbageCollection {
  constructor(
    private readonly inventory: ArtifactInventory,
    private readonly positions: RunPositions,
    private readonly runs: Pick<RunRepository, 'lives'>,
    private readonly archives: Pick<DatasetArchives, 'all'>,
    private readonly rpc: RpcClient,
  ) {}

  /** @throws FidelisError BUS.UNAVAILABLE, BUS.TIMEOUT */
  async collect({ dryRun, olderThanSeconds }: CollectionRequest): Promise<Garbage> {
    const before = new Date(Date.now() - olderThanSeconds * 1_000);
    const found = findGarbage(await this.look(), before);
    const bytes = [...found.streams, ...found.artifacts].reduce((sum, entry) => sum + entry.bytes, 0);
    const garbage = {
      streams: [...found.streams],
      artifacts: [...found.artifacts],
      positions: [...found.positions],
    };
    if (dryRun) return { ...garbage, bytes, removed: false };
    const kept = new Set<string>();
    for (const { key } of found.streams) if (!(await this.removeStream(key))) kept.add(key);
    for (const id of found.positions) await this.positions.forget(id);
    for (const { digest } of found.artifacts) await this.inventory.remove(digest);
    const unnamed = await this.inventory.removeUnnamed(before);
    const streams = garbage.streams.filter(({ key }) => !kept.has(key));
    const spared = garbage.streams
      .filter(({ key }) => kept.has(key))
      .reduce((sum, entry) => sum + entry.bytes, 0);
    return { ...garbage, streams, bytes: bytes - spared + unnamed, removed: true };
  }

  private async look(): Promise<Inventory> {
    const artifacts = await this.inventory.list();
    const [archives, runs, positions, { teachers }, { streams }, references] = await Promise.all([
      this.archives.all(),
      this.runs.lives(),
      this.positions.list(),
      this.rpc.call(teacherRpc.list, {}),
      this.rpc.call(streamRpc.list, {}),
      this.rpc.call(referencesRpc, {}),
    ]);
    return {
      ...{ artifacts, archives, runs, positions, teachers, streams },
      teacherArtifacts: references.artifacts,
    };
  }

  /** @returns false where a run has come to it in between */
  private async removeStream(key: string): Promise<boolean> {
    try {
      await this.rpc.call(streamRpc.remove, { key });
      return true;
    } catch (error) {
      if (FidelisError.is(error) && (error.code === 'STREAM.IN_USE' || error.code === 'STREAM.NOT_FOUND'))
        return false;
      throw error;
    }
  }
}
