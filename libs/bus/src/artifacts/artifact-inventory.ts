import { ARTIFACTS_BUCKET } from '@fidelis/contracts';
import { Objm } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamClient, streamManager } from '../connection/jetstream-clients.js';
import { throughOutages } from '../connection/patience.js';
import { ALL_CHUNKS, chunkSubject, metaSubject, nuidOf, OBJECTS_STREAM } from './object-subjects.js';

export interface StoredArtifact {
  /** Its sha-256. */
  readonly digest: string;
  readonly bytes: number;
  readonly storedAt: Date;
}

/** What is in the artifact store, for whoever looks after it. */
export class ArtifactInventory {
  constructor(private readonly connection: NatsConnection) {}

  async list(): Promise<readonly StoredArtifact[]> {
    return throughOutages(
      async () => {
        const store = await new Objm(streamClient(this.connection)).open(ARTIFACTS_BUCKET);
        return (await store.list())
          .filter(({ deleted }) => !deleted)
          .map(({ name, size, mtime }) => ({ digest: name, bytes: size, storedAt: new Date(mtime) }));
      },
      { what: 'list the artifacts' },
    );
  }

  /** Nothing happens where it is not there. */
  async remove(digest: string): Promise<void> {
    await throughOutages(
      async () => {
        const store = await new Objm(streamClient(this.connection)).open(ARTIFACTS_BUCKET);
        const info = await store.info(digest);
        if (info === null) return;
        const manager = await streamManager(this.connection);
        // Not the store's own delete, which keeps a marker for ever. The name goes first: nobody finds half of it.
        await manager.streams.purge(OBJECTS_STREAM, { filter: metaSubject(digest) });
        await manager.streams.purge(OBJECTS_STREAM, { filter: chunkSubject(info.nuid) });
      },
      { what: `remove the artifact ${digest}` },
    );
  }

  /**
   * Removes the chunks that a writer left which was killed before it could name them.
   *
   * @param before what was written after it may belong to a writer that is still at it
   * @returns bytes that were freed
   */
  async removeUnnamed(before: Date): Promise<number> {
    return throughOutages(
      async () => {
        const manager = await streamManager(this.connection);
        const store = await new Objm(streamClient(this.connection)).open(ARTIFACTS_BUCKET);
        // Chunks first: an object that gets its name in between is in the list then.
        const { state } = await manager.streams.info(OBJECTS_STREAM, { subjects_filter: ALL_CHUNKS });
        const named = new Set((await store.list()).map(({ nuid }) => nuid));
        let bytes = 0;
        for (const subject of Object.keys(state.subjects ?? {})) {
          if (named.has(nuidOf(subject))) continue;
          const last = await manager.streams.getMessage(OBJECTS_STREAM, { last_by_subj: subject });
          if (last === null || last.time >= before) continue;
          const size = (await manager.streams.info(OBJECTS_STREAM)).state.bytes;
          await manager.streams.purge(OBJECTS_STREAM, { filter: subject });
          bytes += size - (await manager.streams.info(OBJECTS_STREAM)).state.bytes;
        }
        return Math.max(0, bytes);
      },
      { what: 'remove chunks without a name' },
    );
  }
}
