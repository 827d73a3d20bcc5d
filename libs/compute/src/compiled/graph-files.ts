import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Graphs on disk: TensorFlow's C library loads a SavedModel from a directory only. Named by the digest of their bytes, so that processes share
 * them, and no graph is ever taken for another.
 */
export class GraphFiles {
  constructor(private readonly directory: string) {}

  /** Synchronous, as every call of the backend is. @returns the directory of the graph */
  place(savedModel: Uint8Array): string {
    const digest = createHash('sha256').update(savedModel).digest('hex');
    const target = join(this.directory, digest);
    if (existsSync(target)) return target;
    mkdirSync(this.directory, { recursive: true });
    const draft = mkdtempSync(join(this.directory, '.draft-'));
    try {
      writeFileSync(join(draft, 'saved_model.pb'), savedModel);
      renameSync(draft, target);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      // Another process was first: a directory is in the way only if it is complete.
      if (!existsSync(target)) throw error;
    }
    return target;
  }
}
