import { RELIABILITY_COUNTERS } from '@fidelis/deploy';
import type { BinTotals } from '@fidelis/fidelity';
import { MetricsRegistry } from '@fidelis/observability';
import type { InputSeries } from './promtool.js';

export interface ReliabilityLabels {
  readonly run: string;
  readonly set: string;
  readonly model: string;
  readonly bins: string;
}

/** What Prometheus gets to see of the reliability counters of one replica: real scrapes, as series of a rule test. */
export class ScrapedCounters {
  private metrics = new MetricsRegistry('metrics-svc', '0.0.0');
  private readonly samples = new Map<string, string[]>();
  private scrapes = 0;

  constructor(private readonly instance: string) {}

  count(labels: ReliabilityLabels, totals: BinTotals): void {
    totals.count.forEach((count, index) => {
      const place = { ...labels, bin: String(index).padStart(4, '0') };
      this.metrics.countOfRun(RELIABILITY_COUNTERS.count, place, count);
      this.metrics.countOfRun(RELIABILITY_COUNTERS.correct, place, totals.correct[index] ?? 0);
      this.metrics.countOfRun(RELIABILITY_COUNTERS.confidence, place, totals.confidence[index] ?? 0);
    });
  }

  async scrape(times = 1): Promise<void> {
    for (let scrape = 0; scrape < times; scrape++) {
      const text = await this.metrics.scrape();
      for (const [, name = '', labels = '', value = ''] of text.matchAll(
        /^(fidelis_reliability_\w+)\{(.*)\} (.+)$/gm,
      )) {
        const series = `${name}{job="metrics-svc",instance="${this.instance}",${labels}}`;
        const known = this.samples.get(series) ?? [];
        this.samples.set(series, [...padded(known, this.scrapes), value]);
      }
      this.scrapes++;
    }
  }

  /** A new process at the same address: it knows nothing of the counts before. */
  restart(): void {
    this.metrics = new MetricsRegistry('metrics-svc', '0.0.0');
  }

  forgetRun(run: string): Promise<void> {
    return this.metrics.forgetRun(run);
  }

  inputSeries(): InputSeries[] {
    return [...this.samples].map(([series, values]) => ({
      series,
      values: padded(values, this.scrapes).join(' '),
    }));
  }
}

/** A series that a scrape no longer shows gets one marker of staleness, and no samples after it. */
function padded(values: readonly string[], length: number): string[] {
  return Array.from({ length }, (_, index) => {
    const value = values[index];
    if (value !== undefined) return value;
    return index === values.length && index > 0 ? 'stale' : '_';
  });
}
