import { ARTIFACTS_BUCKET, FidelisError, sha256Hex } from '@fidelis/contracts';

import { Objm, type ObjectStore } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamClient } from '../connection/jetstream-clients.js';
import { busError } from '../connection/bus-error.js';
import { throughOutages } from '../connection/patience.js';

export interface ArtifactStoreOptions {
  /** Longest silence during a read: an object with missing chunks would otherwise be waited for without end. @default 30,000 */
  readonly readDeadlineMs?: number | undefined;
}

const READ_DEADLINE_MS = 30_000;
const CHUNK_BYTES = 512 * 1024;

/** Blobs by their sha-256: weights, checkpoints, tables. What is stored under a digest never changes. */
export class ArtifactStore {
  private store: Promise<ObjectStore> | undefined;
  private readonly readDeadlineMs: number;

  constructor(
    private readonly connection: NatsConnection,
    options: ArtifactStoreOptions = {},
  ) {
    this.readDeadlineMs = options.readDeadlineMs ?? READ_DEADLINE_MS;
  }

  /** Stores the bytes unless they are there. @returns their sha-256, in hexadecimal digits */
  async put(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes);
    await throughOutages(
      async () => {
        const store = await this.open();
        const existing = await store.info(digest);
        if (existing !== null && !existing.deleted && existing.size === bytes.length) return;
        await store.putBlob({ name: digest, options: { max_chunk_size: CHUNK_BYTES } }, bytes);
      },
      { what: `store the artifact ${digest}` },
    );
    return digest;
  }

  /** @throws FidelisError ARTIFACT.NOT_FOUND; ARTIFACT.CORRUPT where the bytes have another digest */
  async get(digest: string): Promise<Uint8Array> {
    try {
      return await this.read(digest);
    } catch (error) {
      if (!FidelisError.is(error) || error.code !== 'ARTIFACT.CORRUPT') throw error;
      // Somebody may have been storing the same blob anew while its old chunks were read.
      return this.read(digest);
    }
  }

  async has(digest: string): Promise<boolean> {
    return throughOutages(
      async () => {
        const info = await (await this.open()).info(digest);
        return info !== null && !info.deleted;
      },
      { what: `look for the artifact ${digest}` },
    );
  }

  private async read(digest: string): Promise<Uint8Array> {
    const bytes = await throughOutages(() => this.fetch(digest), { what: `read the artifact ${digest}` });
    if (bytes === null) {
      throw new FidelisError('ARTIFACT.NOT_FOUND', `the artifact ${digest} is not in the store`, {
        details: { digest },
      });
    }
    const actual = sha256Hex(bytes);
    if (actual !== digest) throw corrupt(digest, `its bytes have the digest ${actual}`);
    return bytes;
  }

  private async fetch(digest: string): Promise<Uint8Array | null> {
    const store = await this.open();
    const object = await store.get(digest);
    if (object === null) return null;
    // The reader's promise of the outcome is rejected as well as the stream; one of them is enough.
    object.error.catch(() => undefined);
    const reader = object.data.getReader();
    const chunks: Uint8Array[] = [];
    try {
      for (;;) {
        const { done, value } = await this.withinDeadline(reader.read(), digest);
        if (done) return Buffer.concat(chunks);
        chunks.push(value);
      }
    } catch (error) {
      await reader.cancel().catch(() => undefined);
      if (error instanceof Error && error.message.includes('corrupt object'))
        throw corrupt(digest, error.message);
      throw error;
    }
  }

  private async withinDeadline<Result>(work: Promise<Result>, digest: string): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(corrupt(digest, `no chunk arrived for ${this.readDeadlineMs} ms, some are missing`));
      }, this.readDeadlineMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private open(): Promise<ObjectStore> {
    this.store ??= new Objm(streamClient(this.connection)).open(ARTIFACTS_BUCKET).catch((error: unknown) => {
      this.store = undefined;
      throw busErrorUnlessOutage(error);
    });
    return this.store;
  }
}

/** An outage must reach throughOutages as it is. */
function busErrorUnlessOutage(error: unknown): unknown {
  const mapped = busError(error, `open the object store ${ARTIFACTS_BUCKET}`);
  return mapped.code === 'BUS.UNAVAILABLE' ? error : mapped;
}

function corrupt(digest: string, why: string): FidelisError {
  return new FidelisError('ARTIFACT.CORRUPT', `the artifact ${digest} is damaged: ${why}; produce it again`, {
    details: { digest },
  });
}
