import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  defineEvent,
  defineJob,
  defineRpc,
  eventSubject,
  jobSubject,
  parseStrict,
  parseTolerant,
  PLATFORM_VERSION,
  subjectToken,
} from './contract.js';
import { FidelisError } from './errors.js';

function errorOf(work: () => unknown): FidelisError {
  try {
    work();
  } catch (error) {
    if (FidelisError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const layer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dense'), units: z.int().positive() }),
  z.strictObject({
    kind: z.literal('conv'),
    kernel: z.strictObject({ height: z.int(), width: z.int() }),
  }),
]);
const network = z.strictObject({
  name: z.string(),
  layers: z.array(layer),
  meta: z.strictObject({ seed: z.int().default(0) }).optional(),
});

describe('PLATFORM_VERSION', () => {
  it.each(['../package.json', '../../../package.json'])('is the version in %s', (path) => {
    const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(version).toBe(PLATFORM_VERSION);
  });
});

describe('subjects', () => {
  it('name platform, version, kind and what they are about', () => {
    expect(defineRpc('student.start', z.string(), z.string()).subject).toBe('fidelis.v1.rpc.student.start');
    expect(eventSubject(defineEvent('run-changed', z.string()), 'r-1')).toBe(
      'fidelis.v1.events.run-changed.r-1',
    );
    expect(jobSubject(defineJob('train', z.string()), 'gpu', 'r-1')).toBe('fidelis.v1.jobs.train.gpu.r-1');
  });

  it.each(['', 'a.b', 'a b', '*', '>', 'a>', 'r-1\n', 'ä', '$JS'])('do not take the token %j', (token) => {
    expect(errorOf(() => subjectToken(token)).code).toBe('REQUEST.INVALID');
    expect(() => eventSubject(defineEvent('run-changed', z.string()), token)).toThrow(FidelisError);
  });

  it('take letters, digits, "_" and "-"', () => {
    expect(subjectToken('r-0Az_9')).toBe('r-0Az_9');
  });
});

describe('parseStrict', () => {
  it('gives what the schema gives, defaults included', () => {
    expect(parseStrict(network, { name: 'n', layers: [], meta: {} })).toEqual({
      name: 'n',
      layers: [],
      meta: { seed: 0 },
    });
  });

  it('names every unknown field with its path', () => {
    const error = errorOf(() =>
      parseStrict(network, {
        name: 'n',
        colour: 1,
        layers: [{ kind: 'conv', kernel: { height: 3, width: 3, depth: 3 }, stride: 2 }],
      }),
    );
    expect(error.code).toBe('REQUEST.INVALID');
    const issues = error.details['issues'] as { field: string; problem: string }[];
    expect(issues.map(({ field }) => field).sort()).toEqual([
      'colour',
      'layers.0.kernel.depth',
      'layers.0.stride',
    ]);
    expect(issues.every(({ problem }) => problem === 'unknown field')).toBe(true);
    expect(error.message).toContain('layers.0.kernel.depth: unknown field');
  });

  it('names the path of a wrong value, and the document where there is none', () => {
    expect(
      errorOf(() => parseStrict(network, { name: 'n', layers: [{ kind: 'dense', units: 0 }] })),
    ).toMatchObject({ details: { issues: [{ field: 'layers.0.units' }] } });
    expect(errorOf(() => parseStrict(network, 'text')).message).toMatch(/^\(document\): /);
  });

  it('has the code that is asked for', () => {
    expect(errorOf(() => parseStrict(network, {}, 'SPEC.INVALID')).code).toBe('SPEC.INVALID');
  });
});

describe('parseTolerant', () => {
  it('drops unknown fields at any depth, in members of discriminated unions too', () => {
    const sent = {
      name: 'n',
      future: { deep: [1] },
      layers: [
        { kind: 'dense', units: 3, bias: true },
        { kind: 'conv', kernel: { height: 3, width: 3, depth: 1 }, dilation: 2 },
      ],
      meta: { seed: 4, note: 'x' },
    };
    expect(parseTolerant(network, sent)).toEqual({
      name: 'n',
      layers: [
        { kind: 'dense', units: 3 },
        { kind: 'conv', kernel: { height: 3, width: 3 } },
      ],
      meta: { seed: 4 },
    });
  });

  it('leaves the given value as it was', () => {
    const sent = { name: 'n', layers: [], future: 1 };
    parseTolerant(network, sent);
    expect(sent).toEqual({ name: 'n', layers: [], future: 1 });
  });

  it('drops unknown fields in a plain union of strict objects', () => {
    const either = z.union([z.strictObject({ id: z.string() }), z.strictObject({ seed: z.int() })]);
    expect(parseTolerant(either, { id: 't-1', future: 1 })).toEqual({ id: 't-1' });
    expect(parseTolerant(z.strictObject({ teacher: either }), { teacher: { seed: 1, future: 1 } })).toEqual({
      teacher: { seed: 1 },
    });
  });

  it.each([
    ['a wrong type', { name: 1, layers: [] }, 'name'],
    ['a missing field', { name: 'n' }, 'layers'],
    ['a wrong type beside an unknown field', { name: 'n', layers: 'none', future: 1 }, 'layers'],
    ['an unknown kind', { name: 'n', layers: [{ kind: 'rnn', future: 1 }] }, 'layers.0.kind'],
  ])('still refuses %s', (_, value, field) => {
    const error = errorOf(() => parseTolerant(network, value));
    expect(error.code).toBe('REQUEST.INVALID');
    expect(error.details['issues']).toEqual(
      expect.arrayContaining([expect.objectContaining({ field }) as unknown]),
    );
  });

  it.each([null, 'text', 3, []])('refuses %j, which is no object', (value) => {
    expect(errorOf(() => parseTolerant(network, value)).code).toBe('REQUEST.INVALID');
  });
});
