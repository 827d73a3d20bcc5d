import { FidelisError } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageRequest, runCursor, runIdOfCursor, runPage } from './run-page.js';
import { runRecord } from '../../fixtures/records.js';

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return FidelisError.is(error) ? error.code : 'foreign';
  }
}

describe('the cursor of a run', () => {
  it('leads back to the run, for any id', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => {
        expect(runIdOfCursor(runCursor(id))).toBe(id);
      }),
    );
  });

  it.each([
    '',
    'r-1',
    '%%%',
    runCursor(''),
    `${runCursor('r-1')}=`,
    Buffer.from('teacher:t-1').toString('base64url'),
  ])('is refused if it is not one of ours: %j', (cursor) => {
    expect(codeOf(() => runIdOfCursor(cursor))).toBe('REQUEST.INVALID');
  });
});

describe('pageRequest', () => {
  it('passes what was given and leaves out what was not', () => {
    expect(pageRequest({ first: 20 })).toEqual({ first: 20 });
    expect(
      pageRequest({ first: 20, filter: { state: null, name: undefined as never }, after: null }),
    ).toEqual({
      first: 20,
    });
    expect(
      pageRequest({
        first: 1,
        filter: { state: 'training', name: 'demo', teacherId: 't-1' },
        after: runCursor('r-9'),
      }),
    ).toEqual({ first: 1, state: 'training', name: 'demo', teacherId: 't-1', after: 'r-9' });
  });

  it.each([
    [0, 'REQUEST.INVALID'],
    [-1, 'REQUEST.INVALID'],
    [1, 'none'],
    [200, 'none'],
    [201, 'REQUEST.TOO_COMPLEX'],
  ])('with first = %i ends with %s', (first, code) => {
    expect(codeOf(() => pageRequest({ first }))).toBe(code);
  });
});

describe('runPage', () => {
  it('ends with the cursor of its last run', () => {
    const runs = [runRecord({ id: 'r-2' }), runRecord({ id: 'r-1' })];
    const page = runPage({ runs, hasMore: true, total: 5 });
    expect(page.edges.map(({ node }) => node.id)).toEqual(['r-2', 'r-1']);
    expect(page.pageInfo).toEqual({ hasNextPage: true, endCursor: runCursor('r-1') });
    expect(page.totalCount).toBe(5);
  });

  it('has no cursor when it is empty', () => {
    const page = runPage({ runs: [], hasMore: false, total: 0 });
    expect(page.pageInfo).toEqual({ hasNextPage: false, endCursor: null });
  });
});
