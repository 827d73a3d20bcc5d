import { FidelisError } from '@fidelis/contracts';
import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from 'graphql';

/** What one document may ask for. Generous for people and their tools; far below what would hold up the gateway. */
export const DOCUMENT_LIMITS = {
  /** Of the document's text. */
  bytes: 32_768,
  tokens: 2_000,
  /** Nested fields; fragments do not count themselves. */
  depth: 8,
  /** Nested fields below `__schema` and `__type`: the introspection query of the common tools has 15. */
  introspectionDepth: 20,
  /** Fields after fragments are put in their places. */
  fields: 1_000,
  /** Each is at least one call to a service. */
  rootFields: 10,
  aliases: 30,
} as const;

/** Rows of one page. */
export const MAX_PAGE_SIZE = 200;

/** @throws FidelisError REQUEST.TOO_COMPLEX */
export function assertTextWithinLimits(source: string): void {
  const bytes = Buffer.byteLength(source);
  if (bytes > DOCUMENT_LIMITS.bytes) refuse('bytes of text', bytes, DOCUMENT_LIMITS.bytes);
}

/**
 * To be called before validation, whose own rules cost more than linear time. Unknown and cyclic fragments are left
 * to validation: here they count as nothing.
 *
 * @throws FidelisError REQUEST.TOO_COMPLEX
 */
export function assertDocumentWithinLimits(document: DocumentNode): void {
  const measure = new DocumentMeasure(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, introspectionDepth, fields, rootFields } = measure.operation(definition.selectionSet);
    if (depth > DOCUMENT_LIMITS.depth) refuse('levels of nested fields', depth, DOCUMENT_LIMITS.depth);
    if (introspectionDepth > DOCUMENT_LIMITS.introspectionDepth)
      refuse('levels of introspection', introspectionDepth, DOCUMENT_LIMITS.introspectionDepth);
    if (fields > DOCUMENT_LIMITS.fields) refuse('fields', fields, DOCUMENT_LIMITS.fields);
    if (rootFields > DOCUMENT_LIMITS.rootFields)
      refuse('fields at the root', rootFields, DOCUMENT_LIMITS.rootFields);
  }
  if (measure.aliases > DOCUMENT_LIMITS.aliases) refuse('aliases', measure.aliases, DOCUMENT_LIMITS.aliases);
}

/** @throws FidelisError REQUEST.TOO_COMPLEX */
function refuse(what: string, found: number, limit: number): never {
  throw new FidelisError(
    'REQUEST.TOO_COMPLEX',
    `the document has ${found} ${what}, at most ${limit} are allowed: ask for less at a time`,
    { details: { what, found, limit } },
  );
}

interface Size {
  readonly depth: number;
  readonly fields: number;
}

const NOTHING: Size = { depth: 0, fields: 0 };

class DocumentMeasure {
  aliases = 0;
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly fragmentSizes = new Map<string, Size>();

  constructor(document: DocumentNode) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  operation(selections: SelectionSetNode): {
    depth: number;
    introspectionDepth: number;
    fields: number;
    rootFields: number;
  } {
    const introspection: Size[] = [];
    const data: Size[] = [];
    for (const selection of selections.selections) {
      const size = this.size({ kind: Kind.SELECTION_SET, selections: [selection] });
      const introspects = selection.kind === Kind.FIELD && selection.name.value.startsWith('__');
      (introspects ? introspection : data).push(size);
    }
    return {
      depth: deepest(data),
      introspectionDepth: deepest(introspection),
      fields: fieldsOf(data) + fieldsOf(introspection),
      rootFields: this.rootFields(selections, new Set()),
    };
  }

  private size(selections: SelectionSetNode | undefined): Size {
    if (selections === undefined) return NOTHING;
    const sizes = selections.selections.map((selection): Size => {
      switch (selection.kind) {
        case Kind.FIELD: {
          if (selection.alias !== undefined) this.aliases += 1;
          const below = this.size(selection.selectionSet);
          return { depth: below.depth + 1, fields: below.fields + 1 };
        }
        case Kind.INLINE_FRAGMENT:
          return this.size(selection.selectionSet);
        case Kind.FRAGMENT_SPREAD:
          return this.fragmentSize(selection.name.value);
      }
    });
    return { depth: deepest(sizes), fields: fieldsOf(sizes) };
  }

  private fragmentSize(name: string): Size {
    const known = this.fragmentSizes.get(name);
    if (known !== undefined) return known;
    // A cycle finds this while the fragment is still being measured.
    this.fragmentSizes.set(name, NOTHING);
    const size = this.size(this.fragments.get(name)?.selectionSet);
    this.fragmentSizes.set(name, size);
    return size;
  }

  private rootFields(selections: SelectionSetNode, open: Set<string>): number {
    let count = 0;
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) count += 1;
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        count += this.rootFields(selection.selectionSet, open);
      else count += this.rootFieldsOfFragment(selection.name.value, open);
      if (count > DOCUMENT_LIMITS.rootFields) return count;
    }
    return count;
  }

  private rootFieldsOfFragment(name: string, open: Set<string>): number {
    const fragment = this.fragments.get(name);
    if (fragment === undefined || open.has(name)) return 0;
    return this.rootFields(fragment.selectionSet, new Set([...open, name]));
  }
}

function deepest(sizes: readonly Size[]): number {
  return Math.max(0, ...sizes.map(({ depth }) => depth));
}

function fieldsOf(sizes: readonly Size[]): number {
  return sizes.reduce((sum, { fields }) => sum + fields, 0);
}
