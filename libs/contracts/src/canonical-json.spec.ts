import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';

describe('canonicalJson', () => {
  it('sorts keys by code unit at every depth and leaves out white space', () => {
    expect(canonicalJson({ b: [1, { z: 1, a: 2 }], B: 'x', a: null, ä: true })).toBe(
      '{"B":"x","a":null,"b":[1,{"a":2,"z":1}],"ä":true}',
    );
  });

  it('treats a member that is undefined as one that is not there', () => {
    expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
  });

  it('writes every string as JSON does', () => {
    expect(canonicalJson('"\n\u2028')).toBe(JSON.stringify('"\n\u2028'));
  });

  it('does not depend on the order in which an object was built', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      }),
    );
  });

  it('loses nothing: what is parsed back has the same canonical form', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s, which has no form in JSON', (value) => {
    expect(() => canonicalJson({ loss: value })).toThrow(TypeError);
  });

  it.each([undefined, () => 1, Symbol('s'), 1n])('refuses a value that JSON cannot say', (value) => {
    expect(() => canonicalJson([value])).toThrow(/canonical JSON has no form/);
  });
});
