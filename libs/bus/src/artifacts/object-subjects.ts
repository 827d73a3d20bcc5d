import { ARTIFACTS_BUCKET } from '@fidelis/contracts';

/** How the object store lies in JetStream (https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md). */
export const OBJECTS_STREAM = `OBJ_${ARTIFACTS_BUCKET}`;
const CHUNKS = `$O.${ARTIFACTS_BUCKET}.C.`;
export const ALL_CHUNKS = `${CHUNKS}>`;

/** Of the chunks of one version of an object. */
export function chunkSubject(nuid: string): string {
  return `${CHUNKS}${nuid}`;
}

/** The other way round. */
export function nuidOf(subject: string): string {
  return subject.slice(CHUNKS.length);
}

export function metaSubject(name: string): string {
  const encoded = Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return `$O.${ARTIFACTS_BUCKET}.M.${encoded}`;
}
