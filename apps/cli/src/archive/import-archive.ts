import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openArchive, requireDatasets, verifyArchive, type ArchiveManifest } from '@fidelis/archive';
import { sha256Hex, type ArchiveFile, type DatasetRef } from '@fidelis/contracts';
import { datasetCatalogue, datasetRefOf } from '@fidelis/data';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { IMPORT_STREAM, type ImportedTeacher } from '../gateway/operation-documents.js';

const MANIFEST = 'manifest.json';
/** The other side reads all of it before it says yes. */
const IMPORT_TIMEOUT_MS = 300_000;

export interface ImportedArchive {
  readonly teacher: ImportedTeacher;
  readonly manifest: ArchiveManifest;
}

export interface ImportOptions {
  readonly signal: AbortSignal;
  readonly onFile: (done: number, total: number) => void;
}

/**
 * Verifies an exported stream, puts its files into the artifact store, and makes its teacher known.
 *
 * @throws FidelisError ARCHIVE.INVALID, ARCHIVE.UNSUPPORTED, ARCHIVE.MISMATCH; the gateway's
 */
export async function importArchive(
  client: GatewayClient,
  directory: string,
  { signal, onFile }: ImportOptions,
): Promise<ImportedArchive> {
  const archive = await openArchive(directory);
  const { manifest } = archive;
  requireDatasets(archive, await datasetsOf(manifest));
  await verifyArchive(directory, { signal });
  const listed = [...manifest.shards, ...manifest.predictions].map(({ file, sha256 }) => ({
    file,
    digest: sha256,
  }));
  const manifestFile = path.join(directory, MANIFEST);
  const files: ArchiveFile[] = [
    { file: MANIFEST, digest: sha256Hex(await readFile(manifestFile)) },
    ...listed,
  ];
  for (const [done, { file, digest }] of files.entries()) {
    onFile(done, files.length);
    const bytes = await readFile(path.join(directory, file));
    await client.putArtifact(digest, Uint8Array.from(bytes), signal);
  }
  onFile(files.length, files.length);
  const { importStream } = await client.request(IMPORT_STREAM, { files }, signal, IMPORT_TIMEOUT_MS);
  return { teacher: importStream, manifest };
}

/** What the names mean here. Of a dataset that is not here the stack's own answer tells, since it may be elsewhere. */
async function datasetsOf({ samples }: ArchiveManifest): Promise<(name: string) => DatasetRef | undefined> {
  const known = new Set(datasetCatalogue().map(({ name }) => name));
  const refs = new Map<string, DatasetRef>();
  for (const { dataset } of samples) {
    refs.set(dataset.name, known.has(dataset.name) ? await datasetRefOf(dataset.name) : dataset);
  }
  return (name) => refs.get(name);
}
