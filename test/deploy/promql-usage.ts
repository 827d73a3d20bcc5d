import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface SelectorUsage {
  readonly metric: string;
  readonly labels: readonly string[];
}

export interface PromqlUsage {
  readonly selectors: readonly SelectorUsage[];
  /** Labels of `by (…)`; undefined if nothing is aggregated. */
  readonly grouping: readonly string[] | undefined;
  readonly ranges: readonly string[];
}

/** What stands for Grafana's variables while the rest is parsed. */
const STAND_INS = { $__rate_interval: '1m1s', $window: '2m2s' } as const;

/**
 * What an expression of a board uses.
 *
 * @throws Error that shows where the expression does not parse
 */
export function promqlUsage(expression: string): PromqlUsage {
  const text = Object.entries(STAND_INS).reduce(
    (replaced, [variable, duration]) => replaced.replaceAll(variable, duration),
    expression,
  );
  const selectors: SelectorUsage[] = [];
  const ranges: string[] = [];
  let grouping: string[] | undefined;
  parser.parse(text).iterate({
    enter(reference) {
      const { node } = reference;
      const source = text.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`does not parse at "${text.slice(node.from)}": ${expression}`);
      if (node.name === 'VectorSelector') selectors.push(selectorUsage(node, text));
      if (node.name === 'MatrixSelector') ranges.push(rangeOf(source));
      if (node.name === 'AggregateExpr') grouping ??= [];
      if (node.name === 'GroupingLabels') grouping = [...(grouping ?? []), ...labelNames(node, text)];
    },
  });
  return { selectors, grouping, ranges };
}

function selectorUsage(node: SyntaxNode, text: string): SelectorUsage {
  const identifier = node.getChild('Identifier');
  return {
    metric: identifier === null ? '' : text.slice(identifier.from, identifier.to),
    labels: labelNames(node, text),
  };
}

function labelNames(node: SyntaxNode, text: string): string[] {
  const names: string[] = [];
  node.cursor().iterate((each) => {
    if (each.name === 'LabelName') names.push(text.slice(each.from, each.to));
  });
  return names;
}

function rangeOf(source: string): string {
  const range = source.slice(source.lastIndexOf('[') + 1, -1);
  return Object.entries(STAND_INS).find(([, duration]) => duration === range)?.[0] ?? range;
}
