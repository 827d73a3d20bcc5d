import { architectureSchema, experimentSpecSchema } from '@fidelis/contracts';
import { z } from 'zod';

/** The part of JSON Schema (draft 2020-12) that the experiment schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly default?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

type Mutable = Record<string, unknown>;

/** The schema of what a person may write: defaults may be left out, and `architecture` may be a bare name. */
export function experimentJsonSchema(): JsonSchema {
  const generated = z.toJSONSchema(experimentSpecSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      tidyInteger(jsonSchema);
      if (acceptsBareName(zodSchema)) addBareName(jsonSchema);
    },
  });
  return { ...(generated as JsonSchema), title: 'Fidelis experiment' };
}

/** zod bounds every integer by 2^53 and writes "positive" as "> 0": right, and of no help in an editor. */
function tidyInteger(schema: Mutable): void {
  if (schema['type'] !== 'integer') return;
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['exclusiveMinimum'] === 0) {
    delete schema['exclusiveMinimum'];
    schema['minimum'] = 1;
  }
}

/** True for z.preprocess(…, architectureSchema): zod renders only what comes out of the preprocessing. */
function acceptsBareName(schema: z.core.$ZodType): boolean {
  const definition = (schema as z.core.$ZodTypes)._zod.def;
  return (
    definition.type === 'pipe' &&
    definition.in._zod.def.type === 'transform' &&
    definition.out === architectureSchema
  );
}

function addBareName(schema: Mutable): void {
  const { description, ...architecture } = { ...schema };
  for (const key of Object.keys(schema)) delete schema[key];
  Object.assign(schema, {
    description,
    anyOf: [{ type: 'string', enum: architectureSchema.shape.name.options }, architecture],
  });
}
