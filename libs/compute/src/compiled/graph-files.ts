import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const GRAPH_FILE = 'saved_model.pb';
const DRAFT_PREFIX = '.draft-';
/** A draft is written in milliseconds: an older one is of a process that was killed. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Graphs on disk: TensorFlow's C library loads a SavedModel from a directory only. Named by the digest of their bytes, so that processes share
 * them, and read before they are used, so that none is ever taken for another or used in part.
 */
export class GraphFiles {
  private prepared = false;

  constructor(private readonly directory: string) {}

  /** Synchronous, as every call of the backend is. @returns the directory of the graph */
  place(savedModel: Uint8Array): string {
    this.prepare();
    const digest = createHash('sha256').update(savedModel).digest('hex');
    const target = join(this.directory, digest);
    if (holds(target, savedModel)) return target;
    const draft = mkdtempSync(join(this.directory, DRAFT_PREFIX));
    try {
      writeDurably(join(draft, GRAPH_FILE), savedModel);
      publish(draft, target, savedModel);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
    return target;
  }

  private prepare(): void {
    if (this.prepared) return;
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    // What somebody else can change between reading and loading is not a graph of ours.
    const { uid } = statSync(this.directory);
    if (process.getuid !== undefined && uid !== process.getuid()) {
      throw new Error(
        `the directory for graphs, ${this.directory}, belongs to another user: choose another one with FIDELIS_GRAPHS_DIR`,
      );
    }
    this.prepared = true;
    for (const name of readdirSync(this.directory)) {
      if (name.startsWith(DRAFT_PREFIX)) removeIfAbandoned(join(this.directory, name));
    }
  }
}

function holds(target: string, savedModel: Uint8Array): boolean {
  try {
    return readFileSync(join(target, GRAPH_FILE)).equals(savedModel);
  } catch {
    return false;
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx');
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The complete graph under its name at once. Another process may be first with the same bytes; what else is in the way is damaged. */
function publish(draft: string, target: string, savedModel: Uint8Array): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    if (holds(target, savedModel)) return;
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    if (!holds(target, savedModel)) throw error;
  }
}

function removeIfAbandoned(draft: string): void {
  try {
    if (Date.now() - statSync(draft).mtimeMs > ABANDONED_AFTER_MS) {
      rmSync(draft, { recursive: true, force: true });
    }
  } catch {
    // Another process removed it meanwhile.
  }
}
