import type { Counter } from 'prom-client';

type Labels = Readonly<Record<string, string>> & { readonly run: string };

interface RunSeries {
  readonly counter: Counter;
  readonly labels: Labels;
  /** Added, but not shown before a scrape has seen the zero; undefined once one has. */
  held: number | undefined;
}

/**
 * Counters of runs, whose series come and go while the process lives: each new series is shown as 0 to one scrape, and what it counts
 * from the next one on. Prometheus takes the first sample of a series for where it stands, not for an increase: without the zero,
 * `increase()` would miss the first evaluation of every run, and after a restart take the new count for the old one gone on.
 */
export class RunCounters {
  private readonly series = new Map<string, Map<string, RunSeries>>();

  /** @param name the counter's, unique in the registry */
  add(name: string, counter: Counter, labels: Labels, value: number): void {
    const ofRun = this.series.get(labels.run) ?? new Map<string, RunSeries>();
    this.series.set(labels.run, ofRun);
    const key = seriesKey(name, labels);
    const known = ofRun.get(key);
    if (known === undefined) {
      counter.inc({ ...labels }, 0);
      ofRun.set(key, { counter, labels: { ...labels }, held: value });
    } else if (known.held === undefined) {
      counter.inc({ ...labels }, value);
    } else {
      known.held += value;
    }
  }

  /** To be called before a scrape is rendered; the function it returns, after: what that scrape saw as 0 counts from then on. */
  beginScrape(): () => void {
    const unseen = [...this.series.values()].flatMap((ofRun) =>
      [...ofRun].filter(([, { held }]) => held !== undefined),
    );
    return () => {
      for (const [key, series] of unseen) this.release(key, series);
    };
  }

  forget(run: string): void {
    this.series.delete(run);
  }

  /** Nothing where the run was forgotten, or another scrape was first, since the scrape began. */
  private release(key: string, series: RunSeries): void {
    const { counter, labels, held } = series;
    if (held === undefined || this.series.get(labels.run)?.get(key) !== series) return;
    series.held = undefined;
    counter.inc({ ...labels }, held);
  }
}

function seriesKey(name: string, labels: Labels): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
