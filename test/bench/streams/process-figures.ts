import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What Linux tells of processes, under /proc. */

const TICKS_PER_SECOND = 100;
/** A mark of the highest that a process had is kept for it: only one that has ended since would be missed. */
const SAMPLE_EVERY_MS = 1_000;

/** User and system time of the process and of those of its children that it has waited for. */
function secondsOf(pid: number): number {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything; after it come state, parent, …
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
    return ticks / TICKS_PER_SECOND;
  } catch {
    // It ended meanwhile.
    return 0;
  }
}

/** Each thread has the children that it forked. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((child) => child !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** A process and all that descend from it. */
export function processTree(root: number): number[] {
  const tree = [root];
  for (const pid of tree) tree.push(...childrenOf(pid));
  return tree;
}

/** Seconds of processor time of a process and its descendants, ended ones included. */
export function processorSeconds(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + secondsOf(pid), 0);
}

/** Lets a process, its threads and its descendants run on these processors only; what they start later as well. */
export function pin(root: number, cpus: string): void {
  for (const pid of processTree(root)) {
    execFileSync('taskset', ['-acp', cpus, String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

function peakBytes(pid: number): number {
  try {
    const line = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

/** The largest resident sets, from its making on, of some processes and their descendants: of each process, added up. */
export class PeakMemory {
  private readonly peaks = new Map<number, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly roots: readonly number[]) {
    // Forgets the peaks of what was before.
    for (const pid of this.processes()) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    this.timer = setInterval(() => this.look(), SAMPLE_EVERY_MS);
  }

  /** Bytes. Of children that came one after the other the largest counts; of replicas the largest. */
  stop(): number {
    clearInterval(this.timer);
    this.look();
    const own = this.roots.map((pid) => this.peaks.get(pid) ?? 0);
    const children = [...this.peaks].filter(([pid]) => !this.roots.includes(pid)).map(([, bytes]) => bytes);
    return Math.max(0, ...own) + Math.max(0, ...children);
  }

  private processes(): number[] {
    return this.roots.flatMap(processTree);
  }

  private look(): void {
    for (const pid of this.processes()) {
      this.peaks.set(pid, Math.max(this.peaks.get(pid) ?? 0, peakBytes(pid)));
    }
  }
}

/** Processor time of some processes and their descendants as it goes on. */
export class ProcessorClock {
  private readonly readings: { readonly atMs: number; readonly seconds: number }[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly roots: readonly number[]) {
    this.read();
    this.timer = setInterval(() => this.read(), SAMPLE_EVERY_MS);
  }

  /** @returns ms since 1970, and the seconds that were used by then */
  stop(): readonly { readonly atMs: number; readonly seconds: number }[] {
    clearInterval(this.timer);
    this.read();
    return this.readings;
  }

  private read(): void {
    const seconds = this.roots.reduce((sum, root) => sum + processorSeconds(root), 0);
    this.readings.push({ atMs: Date.now(), seconds });
  }
}
