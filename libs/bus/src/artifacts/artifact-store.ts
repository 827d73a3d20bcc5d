import { createHash } from 'node:crypto';
import { ARTIFACTS_BUCKET, FidelisError, sha256Hex } from '@fidelis/contracts';
import { Objm, type ObjectInfo, type ObjectStore } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamClient, streamManager } from '../connection/jetstream-clients.js';
import { busError } from '../connection/bus-error.js';
import { throughOutages } from '../connection/patience.js';
import { chunkSubject, OBJECTS_STREAM } from './object-subjects.js';

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

  /** Stores the bytes unless they are there, and new enough to be safe from a collection of garbage. @returns their sha-256, in hexadecimal digits */
  async put(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes);
    await throughOutages(
      async () => {
        const store = await this.open();
        if (freshSize(await store.info(digest)) === bytes.length) return;
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

  /**
   * Stores what the source gives, a chunk in memory at a time. Nothing is kept of a source that fails, or gives other bytes than the digest says.
   *
   * @returns bytes; of what is there and new its size, and the source is not read
   * @throws FidelisError ARTIFACT.CORRUPT where the bytes have another digest; what the source throws
   */
  async putStream(digest: string, source: AsyncIterable<Uint8Array>): Promise<number> {
    const what = `store the artifact ${digest}`;
    const store = await throughOutages(() => this.open(), { what });
    const existing = freshSize(await throughOutages(() => store.info(digest), { what }));
    if (existing !== undefined) return existing;
    const data = streamOf(checked(digest, source));
    try {
      // A source can be read once: what NATS lost of it while it was away cannot be sent again.
      const { size } = await store.put({ name: digest, options: { max_chunk_size: CHUNK_BYTES } }, data);
      return size;
    } catch (error) {
      throw busError(error, what);
    }
  }

  /** Bytes of the artifact; undefined if it is not there. */
  async size(digest: string): Promise<number | undefined> {
    return throughOutages(
      async () => {
        const info = await (await this.open()).info(digest);
        return info === null || info.deleted ? undefined : info.size;
      },
      { what: `look for the artifact ${digest}` },
    );
  }

  /**
   * The bytes a chunk at a time, at the pace of whoever takes them. Only their end says that they are the right ones.
   *
   * @throws FidelisError ARTIFACT.NOT_FOUND at once; ARTIFACT.CORRUPT at the end, or where a chunk is missing
   */
  async stream(digest: string): Promise<AsyncIterable<Uint8Array>> {
    const info = await throughOutages(async () => (await this.open()).info(digest), {
      what: `read the artifact ${digest}`,
    });
    if (info === null || info.deleted) throw notFound(digest);
    return checked(digest, this.chunks(digest, info));
  }

  private async *chunks(digest: string, { nuid, chunks }: ObjectInfo): AsyncGenerator<Uint8Array> {
    let sequence = 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const message = await throughOutages(
        async () => {
          const manager = await streamManager(this.connection);
          return manager.direct.getMessage(OBJECTS_STREAM, {
            seq: sequence + 1,
            next_by_subj: chunkSubject(nuid),
          });
        },
        { what: `read the artifact ${digest}` },
      );
      if (message === null) throw corrupt(digest, `chunk ${chunk} of ${chunks} is missing`);
      sequence = message.seq;
      yield message.data;
    }
  }

  async has(digest: string): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  private async read(digest: string): Promise<Uint8Array> {
    const bytes = await throughOutages(() => this.fetch(digest), { what: `read the artifact ${digest}` });
    if (bytes === null) throw notFound(digest);
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

/**
 * What is stored anew gets a new date. An old artifact that nobody names any more may be under collection at this moment: whoever
 * stores it again must not rely on it.
 */
const FRESH_MS = 10 * 60_000;

/** @returns its size if it is there and new */
function freshSize(info: ObjectInfo | null): number | undefined {
  if (info === null || info.deleted || Date.now() - Date.parse(info.mtime) > FRESH_MS) return undefined;
  return info.size;
}

/** Passes the bytes on; at their end it is known whether they are the artifact's. */
async function* checked(digest: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  const actual = hash.digest('hex');
  if (actual !== digest) throw corrupt(digest, `its bytes have the digest ${actual}`);
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

function notFound(digest: string): FidelisError {
  return new FidelisError('ARTIFACT.NOT_FOUND', `the artifact ${digest} is not in the store`, {
    details: { digest },
  });
}

function corrupt(digest: string, why: string): FidelisError {
  return new FidelisError('ARTIFACT.CORRUPT', `the artifact ${digest} is damaged: ${why}; produce it again`, {
    details: { digest },
  });
}
