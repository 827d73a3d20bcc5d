import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createTemporaryDirectory } from '@fidelis/testing';
import { stringify } from 'yaml';

/** https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules */
export interface RuleTest {
  readonly interval: string;
  readonly input_series: readonly InputSeries[];
  readonly promql_expr_test: readonly ExpressionTest[];
}

export interface InputSeries {
  readonly series: string;
  /** Samples one interval apart, separated by spaces; `_` is none. */
  readonly values: string;
}

export interface ExpressionTest {
  readonly expr: string;
  readonly eval_time: string;
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
}

/** Path of promtool (Debian package prometheus), undefined where it is not installed. */
export function findPromtool(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'promtool'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Runs `promtool check rules` on a rules file. @returns what it found; empty if nothing */
export async function checkRules(promtool: string, rules: object): Promise<string> {
  return withFile(rules, (path) => complaints(promtool, ['check', 'rules', '--lint-fatal', path]));
}

/** Runs `promtool test rules`. @returns what differs; empty if nothing */
export async function testRules(
  promtool: string,
  tests: readonly RuleTest[],
  ruleFiles: readonly string[] = [],
): Promise<string> {
  const document = { rule_files: ruleFiles, evaluation_interval: '15s', tests };
  return withFile(document, (path) => complaints(promtool, ['test', 'rules', path]));
}

async function withFile<Result>(content: object, use: (path: string) => Promise<Result>): Promise<Result> {
  const directory = await createTemporaryDirectory('promtool');
  try {
    const path = join(directory.path, 'rules.yaml');
    await writeFile(path, stringify(content, { lineWidth: 0, aliasDuplicateObjects: false }));
    return await use(path);
  } finally {
    await directory.remove();
  }
}

function complaints(promtool: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(promtool, args, (error, stdout, stderr) => {
      resolve(error === null ? '' : `${error.message}\n${stdout}${stderr}`);
    });
  });
}
