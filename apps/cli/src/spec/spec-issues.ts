import type { ErrorCode, FieldIssue } from '@fidelis/contracts';
import type { z } from 'zod';
import { experimentJsonSchema } from './experiment-json-schema.js';
import { nearestName } from '@fidelis/data';
import { choicesOf, expectation, fieldNames, schemaAt, valueAt, type FieldPath } from './schema-lookup.js';

/** One thing that is wrong with a spec, before it is known where in the file it stands. */
export interface SpecIssue {
  readonly code: ErrorCode;
  readonly path: FieldPath;
  /** `unknown-field`: the mistake is the key; `missing`: there is nothing to point at but the parent. */
  readonly kind: 'unknown-field' | 'missing' | 'value';
  readonly problem: string;
  /** What would be right. */
  readonly expected?: string | undefined;
  /** The known name that was probably meant. */
  readonly suggestion?: string | undefined;
}

type ZodIssue = z.core.$ZodIssue;

/** zod's issues in words: what was wrong, what would be right, what was probably meant. */
export function specIssues(error: z.ZodError, data: unknown): SpecIssue[] {
  const full = withNamedArchitectures(data);
  const found = error.issues.flatMap((issue) => flatten(issue, [])).flatMap((issue) => describe(issue, full));
  // A misspelt field is one mistake, not two: the missing field that it was meant to be is not reported as well.
  const meant = new Set(
    found
      .filter((issue) => issue.suggestion !== undefined && issue.kind === 'unknown-field')
      .map((issue) => [...issue.path.slice(0, -1), issue.suggestion].join('.')),
  );
  return found.filter((issue) => issue.kind !== 'missing' || !meant.has(issue.path.join('.')));
}

/** The issues that a service found (`details.issues` of its error), as far as they name a field. */
export function serviceIssues(issues: readonly FieldIssue[], code: ErrorCode): SpecIssue[] {
  return issues.map(({ field, problem }) => ({
    code,
    path:
      field === ''
        ? []
        : field
            .replace(/^spec\./, '')
            .split('.')
            .map(asIndex),
    kind: 'value',
    problem,
  }));
}

function asIndex(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}

interface PlacedIssue {
  readonly issue: ZodIssue;
  readonly path: FieldPath;
}

/** Takes the issues of the alternative that was probably meant out of an `invalid_union`. */
function flatten(issue: ZodIssue, prefix: FieldPath): PlacedIssue[] {
  const path = [...prefix, ...(issue.path as FieldPath)];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }];
  const candidates = issue.errors.map((issues) => issues.flatMap((inner) => flatten(inner, path)));
  candidates.sort((a, b) => unknownKeys(a) - unknownKeys(b) || a.length - b.length);
  const nearest = candidates[0] ?? [];
  // Every alternative refuses the value as a whole: the union itself says best what would be right.
  if (nearest.length === 1 && nearest[0]?.path.length === path.length) return [{ issue, path }];
  return nearest;
}

function unknownKeys(issues: readonly PlacedIssue[]): number {
  return issues.reduce(
    (sum, { issue }) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0),
    0,
  );
}

function describe({ issue, path }: PlacedIssue, data: unknown): SpecIssue[] {
  const root = experimentJsonSchema();
  const schema = schemaAt(root, path, data);
  if (issue.code === 'unrecognized_keys') {
    const known = fieldNames(schema);
    return issue.keys.map((key) => ({
      code: 'SPEC.INVALID',
      path: [...path, key],
      kind: 'unknown-field',
      problem: `there is no field "${key}" ${path.length === 0 ? 'in a spec' : `in ${path.join('.')}`}`,
      expected: known.length === 0 ? undefined : `known fields: ${known.join(', ')}`,
      suggestion: nearestName(key, known),
    }));
  }
  const value = valueAt(data, path);
  if (issue.code === 'custom') return [{ code: 'SPEC.INVALID', path, kind: 'value', problem: issue.message }];
  if (value === undefined) {
    return [
      {
        code: 'SPEC.INVALID',
        path,
        kind: 'missing',
        problem: `the field "${String(path.at(-1) ?? '')}" is missing`,
        expected: expectation(schema),
      },
    ];
  }
  const choices = discriminatorChoices(issue) ?? (schema === undefined ? undefined : choicesOf(schema));
  const architecture = path.at(-1) === 'name' && path.at(-2) === 'architecture';
  return [
    {
      code: architecture ? 'MODEL.UNKNOWN' : 'SPEC.INVALID',
      path,
      kind: 'value',
      problem: architecture
        ? `there is no architecture ${quoted(value)}`
        : `${quoted(value)} is not allowed here`,
      expected:
        choices === undefined ? (ownWords(issue) ?? expectation(schema)) : expectation({ enum: choices }),
      suggestion:
        typeof value === 'string' && choices !== undefined ? nearestName(value, choices) : undefined,
    },
  ];
}

function discriminatorChoices(issue: ZodIssue): readonly string[] | undefined {
  const options = (issue as { readonly options?: readonly unknown[] }).options;
  return issue.code === 'invalid_union' ? options?.map(String) : undefined;
}

/** What the schema's author wrote for this mistake; zod's own texts are worse than the schema in words. */
function ownWords(issue: ZodIssue): string | undefined {
  return issue.code === 'invalid_format' ? issue.message : undefined;
}

function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'a group of fields';
  return value === null ? 'an empty value' : JSON.stringify(value);
}

/** `architecture: lenet5` as what it is short for, so that paths of issues lead somewhere. */
function withNamedArchitectures(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]: [string, unknown]) =>
      key === 'architecture' && typeof value === 'string'
        ? [key, { name: value }]
        : [key, key === 'teacher' || key === 'student' ? withNamedArchitectures(value) : value],
    ),
  );
}
