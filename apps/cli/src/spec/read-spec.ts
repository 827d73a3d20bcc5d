import { readFile, stat } from 'node:fs/promises';
import {
  experimentSpecSchema,
  FidelisError,
  type ErrorCode,
  type ExperimentSpec,
  type FieldIssue,
} from '@fidelis/contracts';
import {
  datasetIssues,
  experimentProblems,
  refusedDatasetIssues,
  withClassCounts,
  type DatasetKnowledge,
} from './dataset-checks.js';
import { serviceIssues, specIssues, type SpecIssue } from './spec-issues.js';
import { excerpt, YamlSource } from './yaml-source.js';

/** A spec is written by hand: what is larger than this is another file. */
const MAX_SPEC_BYTES = 1_048_576;

/** One entry of `details.issues` of a spec's error. */
export interface LocatedIssue extends FieldIssue {
  readonly code: ErrorCode;
  readonly line: number;
  readonly column: number;
  readonly expected?: string;
  readonly suggestion?: string;
}

export interface SpecFile {
  readonly source: YamlSource;
  readonly spec: ExperimentSpec;
}

/**
 * Reads and checks a spec.
 *
 * @throws FidelisError SPEC.UNREADABLE, SPEC.NOT_YAML; or with every mistake in `details.issues`:
 *   DATASET.UNKNOWN or MODEL.UNKNOWN if that is all that is wrong, else SPEC.INVALID
 */
export async function readSpec(file: string, datasets: DatasetKnowledge): Promise<SpecFile> {
  const read = parseSpec(file, await readText(file), datasets);
  const issues = experimentProblems(read.spec, await withClassCounts(read.spec, datasets));
  if (issues.length > 0) throw specError(read.source, issues);
  return read;
}

/** As readSpec, of a text that is already here. `file` is what people know it by. */
export function parseSpec(file: string, text: string, datasets: DatasetKnowledge): SpecFile {
  const source = YamlSource.parse(file, text);
  if (source.data === null) {
    throw new FidelisError(
      'SPEC.INVALID',
      `${file} is empty. examples/lenet5-mnist.yaml is a spec to start from.`,
      { details: { file, issues: [] } },
    );
  }
  const result = experimentSpecSchema.safeParse(source.data);
  const ofDatasets = datasetIssues(source.data, datasets);
  const named = new Set(ofDatasets.map(({ path }) => path.join('.')));
  const issues = [
    ...(result.success
      ? experimentProblems(result.data, datasets).filter(({ path }) => !named.has(path.join('.')))
      : specIssues(result.error, source.data)),
    ...ofDatasets,
  ];
  if (result.success && issues.length === 0) return { source, spec: result.data };
  throw specError(source, issues);
}

/** An error of `startRun` that names fields of the spec, with their places in the file; any other as it is. */
export function locateServiceError(error: unknown, source: YamlSource): unknown {
  if (!FidelisError.is(error)) return error;
  const { issues, name } = error.details;
  if (error.code === 'DATASET.UNKNOWN' && typeof name === 'string') {
    const named = refusedDatasetIssues(source.data, name, `the stack says: ${error.message}`);
    return named.length === 0 ? error : specError(source, named);
  }
  if (!isFieldIssues(issues) || issues.length === 0) return error;
  return specError(source, serviceIssues(issues, error.code));
}

function isFieldIssues(value: unknown): value is FieldIssue[] {
  return (
    Array.isArray(value) &&
    value.every(
      (issue: unknown) =>
        typeof issue === 'object' && issue !== null && 'field' in issue && 'problem' in issue,
    )
  );
}

function specError(source: YamlSource, issues: readonly SpecIssue[]): FidelisError {
  const located = issues.map((issue) => ({ issue, span: placeOf(source, issue) }));
  located.sort((a, b) => a.span.line - b.span.line || a.span.column - b.span.column);
  const blocks = located.map(({ issue, span }) => {
    const field = issue.path.join('.') || '(document)';
    return (
      `${source.file}:${span.line}:${span.column}  ${field}\n` +
      `${excerpt(source.line(span.line), span)} ${sentence(issue)}`
    );
  });
  const count = issues.length === 1 ? 'a mistake' : `${issues.length} mistakes`;
  const codes = new Set(issues.map((issue) => issue.code));
  const [onlyCode] = codes;
  return new FidelisError(
    codes.size === 1 && onlyCode !== undefined ? onlyCode : 'SPEC.INVALID',
    `${source.file} has ${count}.\n\n${blocks.join('\n\n')}`,
    { details: { file: source.file, issues: located.map(({ issue, span }) => toDetails(issue, span)) } },
  );
}

function placeOf(source: YamlSource, issue: SpecIssue): ReturnType<YamlSource['locate']> {
  return source.locate(issue.path, issue.kind === 'unknown-field' ? 'key' : 'value');
}

function sentence({ problem, expected, suggestion }: SpecIssue): string {
  const parts = [problem];
  if (suggestion !== undefined) parts.push(`did you mean "${suggestion}"?`);
  if (expected !== undefined) parts.push(expected.startsWith('known ') ? expected : `expected ${expected}`);
  return parts.join('; ').replace('?; ', '? ');
}

function toDetails(issue: SpecIssue, span: { line: number; column: number }): LocatedIssue {
  return {
    code: issue.code,
    field: issue.path.join('.'),
    problem: issue.problem,
    line: span.line,
    column: span.column,
    ...(issue.expected === undefined ? {} : { expected: issue.expected }),
    ...(issue.suggestion === undefined ? {} : { suggestion: issue.suggestion }),
  };
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_SPEC_BYTES) {
      throw new FidelisError(
        'SPEC.UNREADABLE',
        `${file} has ${size} bytes: a spec has at most ${MAX_SPEC_BYTES}.`,
      );
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (FidelisError.is(error)) throw error;
    const reason = READ_FAILURES[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message;
    throw new FidelisError('SPEC.UNREADABLE', `Cannot read the spec ${file}: ${reason}.`, {
      cause: error,
      details: { file },
    });
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; examples/ has some to start from',
  EISDIR: 'it is a directory; name a file in it',
  EACCES: 'you may not read it',
};
