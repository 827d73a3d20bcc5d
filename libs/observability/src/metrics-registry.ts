import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcessMetrics, eventLoopLag } from './event-loop-lag.js';
import { METRICS, type MetricDefinition, type MetricName, type ServiceName } from './metric-catalogue.js';
import { RunCounters } from './run-counters.js';

type ByRun<Name extends MetricName> = 'run' extends (typeof METRICS)[Name]['labels'][number] ? Name : never;

/** Counters whose series belong to a run: only `countOfRun` adds to them. */
type RunCounterName = {
  [Name in MetricName]: Name extends OfType<'counter'> ? ByRun<Name> : never;
}[MetricName];

type RunLabels<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['labels'][number], string>
> & {
  readonly run: string;
};

type OfType<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** The metrics of one service: all that the catalogue gives it, registered at start so that none is missing from a scrape. */
export class MetricsRegistry {
  readonly registry = new Registry();
  private readonly metrics = new Map<string, Counter | Gauge | Histogram>();
  private readonly runCounters = new RunCounters();

  constructor(
    readonly service: ServiceName,
    version: string,
  ) {
    collectProcessMetrics(this.registry);
    for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
      if (definition.services.includes(service)) this.metrics.set(name, this.create(name, definition));
    }
    this.gauge('fidelis_build_info').set({ service, version, node: process.versions.node }, 1);
  }

  counter(name: Exclude<OfType<'counter'>, RunCounterName>): Counter {
    return this.metric(name) as Counter;
  }

  /** Adds to a counter by run; a series that is new is 0 in the first scrape and has its value from the second on. */
  countOfRun<Name extends RunCounterName>(name: Name, labels: RunLabels<Name>, value: number): void {
    this.runCounters.add(name, this.metric(name) as Counter, labels, value);
  }

  gauge(name: OfType<'gauge'>): Gauge {
    return this.metric(name) as Gauge;
  }

  histogram(name: OfType<'histogram'>): Histogram {
    return this.metric(name) as Histogram;
  }

  /** Removes a run's series, some time after it ended: labels by run would otherwise grow without limit. */
  async forgetRun(run: string): Promise<void> {
    const byRun = [...this.metrics].filter(([name]) => isByRun(name)).map(([, metric]) => metric);
    const found = await Promise.all(byRun.map(async (metric) => ({ metric, ...(await metric.get()) })));
    for (const { metric, values } of found) {
      for (const { labels } of values) if (labels['run'] === run) metric.remove(labels);
    }
    this.runCounters.forget(run);
  }

  /** All metrics in Prometheus' text format. Each call counts as a scrape: see `countOfRun`. */
  async scrape(): Promise<string> {
    const rendered = this.runCounters.beginScrape();
    const text = await this.registry.metrics();
    rendered();
    return text;
  }

  private metric(name: MetricName): Counter | Gauge | Histogram {
    const metric = this.metrics.get(name);
    if (metric === undefined)
      throw new Error(`${name} is not a metric of ${this.service}: add it in the catalogue`);
    return metric;
  }

  private create(name: string, definition: MetricDefinition): Counter | Gauge | Histogram {
    const options = {
      name,
      help: definition.help,
      labelNames: [...definition.labels],
      registers: [this.registry],
    };
    if (definition.type === 'counter') return new Counter(options);
    if (definition.type === 'histogram')
      return new Histogram({ ...options, buckets: [...(definition.buckets ?? [])] });
    if (name === 'fidelis_event_loop_lag_seconds') return eventLoopLag(options);
    return new Gauge(options);
  }
}

function isByRun(name: string): boolean {
  const definition: MetricDefinition = METRICS[name as MetricName];
  return definition.labels.includes('run');
}
