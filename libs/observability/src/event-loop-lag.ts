import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type GaugeConfiguration, type Registry } from 'prom-client';

/**
 * How often the event loop's delay is looked at. Each look wakes the process: a hundred a second, the usual, are one per cent of a processor that
 * does nothing else, and of the one that a student computes on.
 */
const LOOK_EVERY_MS = 100;
/** As good as never: what it would tell is not shown. */
const HOURLY_MS = 3_600_000;
const NANOSECONDS_PER_MS = 1e6;

/** Those of prom-client that look by themselves. */
const LOOKING = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (statistic) => `nodejs_eventloop_lag_${statistic}_seconds`,
);

/** How late the event loop's turns were: 99th percentile since the last scrape, in seconds. */
export function eventLoopLag(options: GaugeConfiguration<string>): Gauge {
  const delay = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  delay.enable();
  return new Gauge({
    ...options,
    collect() {
      // What is measured is the time between two looks.
      const lateMs = delay.percentile(99) / NANOSECONDS_PER_MS - LOOK_EVERY_MS;
      this.set(Math.max(0, lateMs) / 1_000);
      delay.reset();
    },
  });
}

/** Of the process: memory, processor time, handles, garbage collection. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: HOURLY_MS });
  for (const name of LOOKING) registry.removeSingleMetric(name);
}
