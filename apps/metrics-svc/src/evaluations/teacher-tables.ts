import { FidelisError, teacherRpc, type Split } from '@fidelis/contracts';
import type { ArtifactStore, RpcClient } from '@fidelis/bus';
import { combineMembers } from '@fidelis/models';

export interface TeacherTable {
  readonly rows: number;
  readonly classes: number;
  /** [rows][classes]: of an ensemble the combined logits. */
  readonly logits: Float32Array;
}

/** Tables kept in memory; one of CIFAR-100's training split has 20 MB. */
const KEPT = 8;

/** Teachers' predictions, by the digest of their bytes. */
export class TeacherTables {
  private readonly byDigest = new Map<string, Promise<TeacherTable>>();

  constructor(
    private readonly rpc: RpcClient,
    private readonly artifacts: ArtifactStore,
  ) {}

  /** @throws FidelisError TEACHER.NOT_READY (retryable) while the teacher is still scoring */
  async get(teacherId: string, split: Split): Promise<TeacherTable> {
    const answer = await this.rpc.call(teacherRpc.predictions, { teacherId, split });
    if (answer.state === 'pending') {
      throw new FidelisError('TEACHER.NOT_READY', `teacher ${teacherId} is still scoring ${split}`);
    }
    const { artifact, rows, members, classes } = answer;
    const known = this.byDigest.get(artifact) ?? this.load(artifact, rows, members, classes);
    // Moved to the end: the first key is the one that was used longest ago.
    this.byDigest.delete(artifact);
    this.byDigest.set(artifact, known);
    for (const digest of this.byDigest.keys()) {
      if (this.byDigest.size <= KEPT) break;
      this.byDigest.delete(digest);
    }
    return known;
  }

  private load(artifact: string, rows: number, members: number, classes: number): Promise<TeacherTable> {
    const loading = this.read(artifact, rows, members, classes);
    loading.catch(() => this.byDigest.delete(artifact));
    return loading;
  }

  private async read(
    artifact: string,
    rows: number,
    members: number,
    classes: number,
  ): Promise<TeacherTable> {
    const bytes = await this.artifacts.get(artifact);
    const expected = rows * members * classes * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.length !== expected) {
      throw new FidelisError(
        'ARTIFACT.CORRUPT',
        `predictions of ${rows}×${members}×${classes} need ${expected} bytes, got ${bytes.length}`,
      );
    }
    // A copy: the bytes may lie anywhere in their buffer, float32 need multiples of 4. Not slice(): of a Buffer it is none.
    const values = new Float32Array(Uint8Array.from(bytes).buffer);
    return { rows, classes, logits: combineMembers(values, rows, members, classes) };
  }
}
