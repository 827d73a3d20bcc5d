import { parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { DateTimeScalar, JsonScalar } from './scalars.js';

describe('JSON written out in a document', () => {
  it('becomes the same value as in JSON', () => {
    const node = parseValue('{ a: [1, 2.5, "x", true, null], b: { c: word } }');
    expect(JsonScalar.parseLiteral(node, {})).toEqual({ a: [1, 2.5, 'x', true, null], b: { c: 'word' } });
  });

  it('takes variables at any depth', () => {
    expect(JsonScalar.parseLiteral(parseValue('{ seed: $seed }'), { seed: 7 })).toEqual({ seed: 7 });
  });

  it('keeps a field named __proto__ as data', () => {
    const value = JsonScalar.parseLiteral(parseValue('{ __proto__: { polluted: true } }'), {});
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('DateTime', () => {
  it('passes ISO 8601 in UTC unchanged', () => {
    expect(DateTimeScalar.serialize('2026-01-31T12:00:00.000Z')).toBe('2026-01-31T12:00:00.000Z');
  });

  it('refuses anything else', () => {
    expect(() => DateTimeScalar.parseValue('yesterday')).toThrow(/ISO 8601/);
  });
});
