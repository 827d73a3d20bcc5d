import { FidelisError } from '@fidelis/contracts';
import { getIntrospectionQuery, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { assertDocumentWithinLimits, assertTextWithinLimits, DOCUMENT_LIMITS } from './document-limits.js';

function outcome(source: string): string {
  try {
    assertTextWithinLimits(source);
    assertDocumentWithinLimits(parse(source));
    return 'ok';
  } catch (error) {
    if (!FidelisError.is(error)) throw error;
    return `${error.code} ${String(error.details['what'])}`;
  }
}

function nested(depth: number): string {
  return depth === 0 ? '' : `{ f ${nested(depth - 1)} }`;
}

describe('the limits of a document', () => {
  it('admit the introspection query of the common tools', () => {
    const everything = getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true });
    expect(outcome(everything)).toBe('ok');
  });

  it('admit nesting up to the limit and refuse one level more', () => {
    expect(outcome(nested(DOCUMENT_LIMITS.depth))).toBe('ok');
    expect(outcome(nested(DOCUMENT_LIMITS.depth + 1))).toBe('REQUEST.TOO_COMPLEX levels of nested fields');
  });

  it('see nesting through fragments', () => {
    const source = `{ a { ...F } } fragment F on T ${nested(DOCUMENT_LIMITS.depth)}`;
    expect(outcome(source)).toBe('REQUEST.TOO_COMPLEX levels of nested fields');
  });

  it('count fields after fragments are put in their places', () => {
    const doubling = Array.from(
      { length: 12 },
      (_, i) => `fragment F${i} on T { ...F${i + 1} ...F${i + 1} }`,
    ).join('\n');
    expect(outcome(`{ a { ...F0 } } ${doubling} fragment F12 on T { f }`)).toBe('REQUEST.TOO_COMPLEX fields');
  });

  it('leave cyclic fragments to validation', () => {
    expect(outcome('{ ...F } fragment F on T { a { ...F } }')).toBe('ok');
  });

  it('refuse many aliases', () => {
    const aliases = Array.from({ length: DOCUMENT_LIMITS.aliases + 1 }, (_, i) => `a${i}: f`).join(' ');
    expect(outcome(`{ run { ${aliases} } }`)).toBe('REQUEST.TOO_COMPLEX aliases');
  });

  it('refuse many fields at the root, and see them through fragments', () => {
    const fields = Array.from({ length: DOCUMENT_LIMITS.rootFields + 1 }, (_, i) => `a${i}: runs`).join(' ');
    expect(outcome(`{ ${fields} }`)).toBe('REQUEST.TOO_COMPLEX fields at the root');
    expect(outcome(`{ ...F } fragment F on Query { ${fields} }`)).toBe(
      'REQUEST.TOO_COMPLEX fields at the root',
    );
  });

  it('refuse long text', () => {
    expect(outcome(`{ f } # ${'é'.repeat(DOCUMENT_LIMITS.bytes / 2)}`)).toBe(
      'REQUEST.TOO_COMPLEX bytes of text',
    );
  });
});
