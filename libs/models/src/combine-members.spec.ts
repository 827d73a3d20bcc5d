import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineMembers } from './combine-members.js';

const logit = fc.float({ min: -50, max: 50, noNaN: true });

function softmax(logits: readonly number[]): number[] {
  const greatest = Math.max(...logits);
  const exponentials = logits.map((z) => Math.exp(z - greatest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

describe('combineMembers', () => {
  it('gives the mean probability of the members', () => {
    const shape = { members: fc.integer({ min: 2, max: 5 }), classes: fc.integer({ min: 2, max: 6 }) };
    const ensemble = fc.record(shape).chain(({ members, classes }) =>
      fc.record({
        members: fc.constant(members),
        classes: fc.constant(classes),
        values: fc.array(logit, { minLength: members * classes, maxLength: members * classes }),
      }),
    );
    fc.assert(
      fc.property(ensemble, ({ members, classes, values }) => {
        const combined = combineMembers(Float32Array.from(values), 1, members, classes);
        const byMember = Array.from({ length: members }, (_, m) =>
          softmax(values.slice(m * classes, (m + 1) * classes)),
        );
        combined.forEach((z, c) => {
          const mean = byMember.reduce((sum, p) => sum + (p[c] ?? 0), 0) / members;
          expect(Math.exp(z)).toBeCloseTo(mean, 5);
        });
      }),
    );
  });

  it('leaves a single member as it is', () => {
    const values = new Float32Array([1, 2, 3, 4]);
    expect(combineMembers(values, 2, 1, 2)).toEqual(values);
  });

  it('does not overflow', () => {
    const combined = combineMembers(new Float32Array([1e30, 0, 0, 1e30]), 1, 2, 2);
    expect([...combined]).toEqual([Math.fround(-Math.log(2)), Math.fround(-Math.log(2))]);
  });

  it('refuses another number of values than announced', () => {
    expect(() => combineMembers(new Float32Array(5), 1, 2, 3)).toThrow('1×2×3 logits were announced, 5 came');
  });
});
