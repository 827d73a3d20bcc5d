import { FidelisError } from '@fidelis/contracts';
import { isCollection, isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { FieldPath } from './schema-lookup.js';

/** Where something stands in the file; both count from 1. */
export interface SourceSpan {
  readonly line: number;
  readonly column: number;
  /** Characters to underline, all on `line`. */
  readonly length: number;
}

/** A YAML file with the way back from a field to its place in the text. */
export class YamlSource {
  readonly data: unknown;
  private readonly lines: readonly string[];

  private constructor(
    readonly file: string,
    text: string,
    private readonly document: Document,
    private readonly counter: LineCounter,
  ) {
    this.lines = text.split(/\r?\n/);
    this.data = document.toJS();
  }

  /** @throws FidelisError SPEC.NOT_YAML with the line, and `details: { file, line, column }` */
  static parse(file: string, text: string): YamlSource {
    const counter = new LineCounter();
    const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = counter.linePos(error.pos[0]);
      throw notYaml(file, { line, column: col, length: 1 }, text.split(/\r?\n/), lowerFirst(error.message));
    }
    if (document.contents !== null && !isMap(document.contents)) {
      const what = isScalar(document.contents) ? 'only a text or a single value' : 'a list';
      throw notYaml(
        file,
        { line: 1, column: 1, length: 1 },
        text.split(/\r?\n/),
        `this is ${what}, not fields`,
      );
    }
    return new YamlSource(file, text, document, counter);
  }

  /**
   * The place of a field's key or value. Where the path leads nowhere (a missing field), the place of the
   * nearest field around it that exists; where that has no fields, as "architecture: lenet5", it is its value that is meant.
   */
  locate(path: FieldPath, part: 'key' | 'value'): SourceSpan {
    for (let depth = path.length; depth > 0; depth--) {
      const found = path.slice(0, depth);
      const shorthand = isScalar(this.document.getIn(found, true));
      const range = this.rangeOf(found, depth < path.length && !shorthand ? 'key' : part);
      if (range !== undefined) return this.spanOf(range);
    }
    return { line: 1, column: 1, length: 1 };
  }

  /** The text of a line that counts from 1. */
  line(number: number): string {
    return this.lines[number - 1] ?? '';
  }

  private rangeOf(path: FieldPath, part: 'key' | 'value'): readonly [number, number] | undefined {
    const step = path.at(-1);
    const parent = path.length === 1 ? this.document.contents : this.document.getIn(path.slice(0, -1), true);
    if (!isCollection(parent) || step === undefined) return undefined;
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => (isScalar(key) ? key.value === step : key === step));
      const node = (part === 'value' ? pair?.value : undefined) ?? pair?.key;
      return rangeOfNode(node);
    }
    return rangeOfNode(parent.get(step, true));
  }

  private spanOf([start, end]: readonly [number, number]): SourceSpan {
    const { line, col } = this.counter.linePos(start);
    const onLine = Math.max(1, this.line(line).trimEnd().length - col + 1);
    return { line, column: col, length: Math.min(Math.max(1, end - start), onLine) };
  }
}

function rangeOfNode(node: unknown): readonly [number, number] | undefined {
  const range = (node as Node | undefined | null)?.range;
  return range === undefined || range === null ? undefined : [range[0], range[1]];
}

function notYaml(file: string, span: SourceSpan, lines: readonly string[], problem: string): FidelisError {
  const { line, column } = span;
  return new FidelisError(
    'SPEC.NOT_YAML',
    `${file} is not a YAML spec.\n\n${file}:${line}:${column}\n${excerpt(lines[line - 1] ?? '', span)} ${problem}\n\n` +
      'A spec is a YAML file of fields such as "dataset: mnist"; examples/lenet5-mnist.yaml is one to start from.',
    { details: { file, line, column, problem } },
  );
}

/** The source line, and under it a caret for each character of the span (the problem is written after it). */
export function excerpt(sourceLine: string, { line, column, length }: SourceSpan): string {
  const gutter = String(line);
  // Tabs stay tabs in front of the carets, so that these stand under what they mean at any tab width.
  const indent = sourceLine.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  return `  ${gutter} | ${sourceLine}\n  ${' '.repeat(gutter.length)} | ${indent}${'^'.repeat(length)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
