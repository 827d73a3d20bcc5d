import { FidelisError, type RunRecord, type RunState } from '@fidelis/contracts';
import { MAX_PAGE_SIZE } from '../graphql/document-limits.js';

export interface PageArguments {
  readonly filter?: {
    readonly state?: RunState | null;
    readonly name?: string | null;
    readonly teacherId?: string | null;
  } | null;
  readonly first: number;
  readonly after?: string | null;
}

/** The request of `student.list`. */
export interface PageRequest {
  state?: RunState;
  name?: string;
  teacherId?: string;
  first: number;
  after?: string;
}

export interface RunPage {
  readonly edges: readonly { readonly cursor: string; readonly node: RunRecord }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number;
}

const CURSOR_PREFIX = 'run:';

/** Opaque to clients, so that what it stands on can change. */
export function runCursor(runId: string): string {
  return Buffer.from(`${CURSOR_PREFIX}${runId}`).toString('base64url');
}

/** @throws FidelisError REQUEST.INVALID */
export function runIdOfCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const runId = text.slice(CURSOR_PREFIX.length);
  // Decoding skips what is not base64: only a cursor that comes out the same again was one of ours.
  if (!text.startsWith(CURSOR_PREFIX) || runId === '' || runCursor(runId) !== cursor) {
    throw new FidelisError(
      'REQUEST.INVALID',
      `"${cursor}" is no cursor of runs: pass the endCursor or an edge's cursor of an earlier page`,
      { details: { issues: [{ field: 'after', problem: 'not a cursor' }] } },
    );
  }
  return runId;
}

/** @throws FidelisError REQUEST.INVALID, REQUEST.TOO_COMPLEX */
export function pageRequest({ filter, first, after }: PageArguments): PageRequest {
  if (first < 1) {
    throw new FidelisError('REQUEST.INVALID', `first is ${first}: ask for at least one run`, {
      details: { issues: [{ field: 'first', problem: 'must be at least 1' }] },
    });
  }
  if (first > MAX_PAGE_SIZE) {
    throw new FidelisError(
      'REQUEST.TOO_COMPLEX',
      `first is ${first}: ask for at most ${MAX_PAGE_SIZE} runs and go on with after`,
      { details: { what: 'runs on a page', found: first, limit: MAX_PAGE_SIZE } },
    );
  }
  const request: PageRequest = { first };
  if (filter?.state != null) request.state = filter.state;
  if (filter?.name != null) request.name = filter.name;
  if (filter?.teacherId != null) request.teacherId = filter.teacherId;
  if (after != null) request.after = runIdOfCursor(after);
  return request;
}

export function runPage(list: {
  readonly runs: readonly RunRecord[];
  readonly hasMore: boolean;
  readonly total: number;
}): RunPage {
  const edges = list.runs.map((node) => ({ cursor: runCursor(node.id), node }));
  return {
    edges,
    pageInfo: { hasNextPage: list.hasMore, endCursor: edges.at(-1)?.cursor ?? null },
    totalCount: list.total,
  };
}
