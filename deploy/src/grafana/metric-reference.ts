import type { METRICS, MetricName } from '@fidelis/observability';

type Definition<Name extends MetricName> = (typeof METRICS)[Name];
type CounterName = {
  [Name in MetricName]: Definition<Name>['type'] extends 'counter' ? Name : never;
}[MetricName];
type GaugeName = {
  [Name in MetricName]: Definition<Name>['type'] extends 'gauge' ? Name : never;
}[MetricName];
type HistogramName = {
  [Name in MetricName]: Definition<Name>['type'] extends 'histogram' ? Name : never;
}[MetricName];

/** A gauge's series; the compiler refuses a name that the catalogue does not have. */
export function gauge(name: GaugeName, ...matchers: readonly string[]): string {
  return selector(name, matchers);
}

/** Increase per second of a counter. */
export function rate(name: CounterName, ...matchers: readonly string[]): string {
  return `rate(${selector(name, matchers)}[$__rate_interval])`;
}

/** A counter as it stands: what happened since each process started. */
export function total(name: CounterName, ...matchers: readonly string[]): string {
  return selector(name, matchers);
}

/** A quantile of a histogram, over all its series. */
export function quantile(q: number, name: HistogramName, by: readonly string[]): string {
  return `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (rate(${name}_bucket[$__rate_interval])))`;
}

function selector(name: string, matchers: readonly string[]): string {
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`;
}
