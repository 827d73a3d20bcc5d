import { beforeEach, describe, expect, it } from 'vitest';
import { METRICS, SERVICES, type MetricDefinition } from './metric-catalogue.js';
import { MetricsRegistry } from './metrics-registry.js';

const catalogue = Object.entries<MetricDefinition>(METRICS);

describe('the metric catalogue', () => {
  it.each(catalogue)('%s is named and explained as Prometheus asks for', (name, metric) => {
    expect(name).toMatch(/^fidelis_[a-z0-9]+(_[a-z0-9]+)*$/);
    expect(name.endsWith('_total')).toBe(metric.type === 'counter');
    expect(metric.help).toMatch(/^.{10,}\.$/s);
    expect(metric.services.length).toBeGreaterThan(0);
    expect(new Set(metric.labels).size).toBe(metric.labels.length);
    for (const label of metric.labels) expect(label).toMatch(/^[a-z]+$/);
    expect(metric.buckets !== undefined).toBe(metric.type === 'histogram');
    // Base units only.
    expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|percent|kb|mb)(_|$)/);
  });

  it('has no histogram by run: each would be dozens of series that come and go', () => {
    for (const [name, { type, labels }] of catalogue) {
      if (labels.includes('run')) expect(['gauge', 'counter'], name).toContain(type);
    }
  });
});

describe('MetricsRegistry', () => {
  it.each(SERVICES)('registers for %s exactly what the catalogue gives it', async (service) => {
    const { registry } = new MetricsRegistry(service, '0.1.0');
    const registered = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('fidelis_'));
    const expected = catalogue.filter(([, metric]) => metric.services.includes(service));
    expect(registered.map(({ name }) => name).sort()).toEqual(expected.map(([name]) => name).sort());
    for (const { name, help, type } of registered) {
      expect({ help, type: String(type) }).toEqual({
        help: METRICS[name as keyof typeof METRICS].help,
        type: METRICS[name as keyof typeof METRICS].type,
      });
    }
  });

  it('shows metrics without labels from the first scrape on, with the build and the process', async () => {
    const text = await new MetricsRegistry('student-svc', '1.2.3').registry.metrics();
    expect(text).toContain('fidelis_frames_consumed_total 0');
    expect(text).toContain(
      `fidelis_build_info{service="student-svc",version="1.2.3",node="${process.versions.node}"} 1`,
    );
    expect(text).toMatch(/^fidelis_event_loop_lag_seconds \d/m);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
  });

  it("refuses another service's metric", () => {
    const metrics = new MetricsRegistry('gateway', '0.1.0');
    expect(() => metrics.gauge('fidelis_agreement_ratio')).toThrow(/not a metric of gateway/);
  });

  it('keeps the metrics of two services in one process apart', async () => {
    const one = new MetricsRegistry('student-svc', '0.1.0');
    const two = new MetricsRegistry('student-svc', '0.1.0');
    one.counter('fidelis_frames_consumed_total').inc(5);
    expect(await two.registry.metrics()).toContain('fidelis_frames_consumed_total 0');
  });

  it("forgets a run's series and nothing else", async () => {
    const metrics = new MetricsRegistry('metrics-svc', '0.1.0');
    for (const run of ['r-1', 'r-2']) {
      for (const set of ['test', 'train-clean']) {
        metrics.gauge('fidelis_agreement_ratio').set({ run, set }, 0.9);
        metrics.gauge('fidelis_ece_ratio').set({ run, set, model: 'student', bins: '15' }, 0.1);
        const place = { run, set, model: 'student', bins: '15', bin: '0003' };
        metrics.countOfRun('fidelis_reliability_count_total', place, 7);
      }
    }
    metrics.counter('fidelis_evaluations_total').inc({ set: 'test' });
    await metrics.forgetRun('r-1');
    await metrics.forgetRun('r-unknown');
    const text = await metrics.registry.metrics();
    expect(text).not.toContain('run="r-1"');
    expect(text.match(/run="r-2"/g)).toHaveLength(6);
    expect(text).toContain('fidelis_evaluations_total{set="test"} 1');
  });

  describe('counters of a run', () => {
    const place = { run: 'r-1', set: 'test', model: 'student', bins: '15', bin: '0003' };
    let metrics: MetricsRegistry;

    beforeEach(() => {
      metrics = new MetricsRegistry('metrics-svc', '0.1.0');
    });

    function count(rows: number, run = 'r-1'): void {
      metrics.countOfRun('fidelis_reliability_count_total', { ...place, run }, rows);
    }

    async function scraped(run = 'r-1'): Promise<number | undefined> {
      const pattern = new RegExp(`^fidelis_reliability_count_total{run="${run}".*} (.+)$`, 'm');
      const [, value] = pattern.exec(await metrics.scrape()) ?? [];
      return value === undefined ? undefined : Number(value);
    }

    it('are 0 in their first scrape, so that what they counted before it is an increase after it', async () => {
      count(7);
      count(5);
      expect(await scraped()).toBe(0);
      expect(await scraped()).toBe(12);
      count(3);
      expect(await scraped()).toBe(15);
    });

    it('are 0 in their own first scrape, however long others are there', async () => {
      count(7);
      await metrics.scrape();
      count(2, 'r-2');
      expect(await scraped('r-2')).toBe(0);
      expect(await scraped('r-2')).toBe(2);
    });

    it('keep what is counted while a scrape is rendered', async () => {
      count(7);
      const scrape = metrics.scrape();
      count(5);
      count(2, 'r-2');
      await scrape;
      expect(await scraped()).toBe(12);
      expect(await scraped('r-2')).toBe(2);
    });

    it('count once where two scrapes see the zero', async () => {
      count(7);
      await Promise.all([metrics.scrape(), metrics.scrape()]);
      expect(await scraped()).toBe(7);
    });

    it('start from 0 again after the run was forgotten, and do not come back without a count', async () => {
      count(7);
      const scrape = metrics.scrape();
      await metrics.forgetRun('r-1');
      await scrape;
      expect(await scraped()).toBeUndefined();
      count(9);
      expect(await scraped()).toBe(0);
      expect(await scraped()).toBe(9);
    });
  });
});
