import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ArtifactStore } from '@fidelis/bus';
import type { ArchiveFile } from '@fidelis/contracts';
import { createDraft, removeAbandonedDrafts } from '@fidelis/data';

/** Puts the files of an archive where it can be read. @throws FidelisError ARTIFACT.NOT_FOUND, ARTIFACT.CORRUPT */
export async function fetchArchive(
  directory: string,
  files: readonly ArchiveFile[],
  artifacts: Pick<ArtifactStore, 'stream'>,
): Promise<void> {
  for (const { file, digest } of files) {
    await writeFile(path.join(directory, file), await artifacts.stream(digest), { flag: 'wx' });
  }
}

/** A directory for the files of an archive; what a killed process left is removed by the next one. */
export class ArchiveScratch {
  private constructor(readonly directory: string) {}

  static async create(): Promise<ArchiveScratch> {
    const parent = path.join(tmpdir(), 'fidelis-archives');
    await mkdir(parent, { recursive: true });
    await removeAbandonedDrafts(parent);
    return new ArchiveScratch(await createDraft(parent));
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
