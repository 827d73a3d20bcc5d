import type { JsonSchema } from './experiment-json-schema.js';

export type FieldPath = readonly (string | number)[];

/**
 * The schema of the field at `path`. Where the schema has alternatives, the one that `data` is nearest to is
 * followed, so that what an error suggests fits what the person was writing.
 */
export function schemaAt(root: JsonSchema, path: FieldPath, data: unknown): JsonSchema | undefined {
  let schema: JsonSchema | undefined = root;
  let value = data;
  for (const step of path) {
    schema = nearestAlternative(schema, value);
    schema = typeof step === 'number' ? schema.items : schema.properties?.[step];
    if (schema === undefined) return undefined;
    value = memberOf(value, step);
  }
  return nearestAlternative(schema, value);
}

/** The value at `path`, or undefined. */
export function valueAt(data: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(memberOf, data);
}

function memberOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string | number, unknown>)[step];
}

function nearestAlternative(schema: JsonSchema, value: unknown): JsonSchema {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives === undefined || typeof value !== 'object' || value === null) return schema;
  let best = schema;
  let bestScore = -Infinity;
  for (const alternative of alternatives) {
    const score = likeness(alternative, value);
    if (score > bestScore) {
      best = alternative;
      bestScore = score;
    }
  }
  return best;
}

/** Known keys count for an alternative, unknown ones against it; a constant (the `kind`) decides. */
function likeness(schema: JsonSchema, value: object): number {
  if (schema.properties === undefined) return -Infinity;
  let score = 0;
  for (const [key, member] of Object.entries(value)) {
    const property = schema.properties[key];
    if (property === undefined) score -= 1;
    else if (property.const !== undefined) score += property.const === member ? 1_000 : -1_000;
    else score += 1;
  }
  return score;
}

/** Names of the fields that the object may have. */
export function fieldNames(schema: JsonSchema | undefined): string[] {
  return Object.keys(schema?.properties ?? {});
}

/** What would be right, in words: "a whole number from 1 to 100000". Undefined if the schema does not say. */
export function expectation(schema: JsonSchema | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const choices = choicesOf(schema);
  if (choices !== undefined) return oneOf(choices);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const texts = alternatives.map(expectation).filter((text) => text !== undefined);
    return texts.length === 0 ? undefined : [...new Set(texts)].join('; or ');
  }
  switch (schema.type) {
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    case 'array':
      return `a list${length(schema)}${listItems(schema)}`;
    case 'object':
      return objectFields(schema);
    default:
      return undefined;
  }
}

/** The only values allowed, if they are a list of choices. */
export function choicesOf(schema: JsonSchema): readonly string[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  return schema.enum;
}

function oneOf(choices: readonly string[]): string {
  return choices.length === 1 ? `"${choices[0] ?? ''}"` : `one of ${choices.join(', ')}`;
}

function range(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const parts: string[] = [];
  if (minimum !== undefined) parts.push(`${minimum} or greater`);
  if (exclusiveMinimum !== undefined) parts.push(`greater than ${exclusiveMinimum}`);
  if (maximum !== undefined) parts.push(`at most ${maximum}`);
  if (exclusiveMaximum !== undefined) parts.push(`less than ${exclusiveMaximum}`);
  return parts.length === 0 ? '' : `, ${parts.join(' and ')}`;
}

function length({ minItems, maxItems }: JsonSchema): string {
  if (minItems !== undefined && maxItems !== undefined) return ` of ${minItems} to ${maxItems} entries`;
  return minItems === undefined ? '' : ` of at least ${minItems} entr${minItems === 1 ? 'y' : 'ies'}`;
}

function listItems(schema: JsonSchema): string {
  const text = expectation(schema.items);
  return text === undefined ? '' : `, each ${text}`;
}

function objectFields(schema: JsonSchema): string {
  const required = schema.required ?? [];
  const optional = fieldNames(schema).filter((name) => !required.includes(name));
  const parts: string[] = [];
  if (required.length > 0) parts.push(required.join(', '));
  if (optional.length > 0)
    parts.push(`${required.length > 0 ? 'optional: ' : 'all optional: '}${optional.join(', ')}`);
  return `fields (${parts.join('; ')})`;
}
