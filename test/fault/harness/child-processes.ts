import { readdirSync, readFileSync } from 'node:fs';

interface ProcessState {
  readonly parent: number;
  readonly state: string;
}

/** From /proc; undefined for one that is gone. */
function processState(pid: number): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Process ids of the children of a process. */
export function childrenOf(pid: number): number[] {
  return processes().filter((candidate) => processState(candidate)?.parent === pid);
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export function exists(pid: number): boolean {
  const found = processState(pid);
  return found !== undefined && found.state !== 'Z';
}

/** Processes with this text in their environment that do not descend from any of `roots`: their parent died without them. */
export function orphans(mark: string, roots: readonly number[]): number[] {
  const known = new Set(roots);
  return processes().filter(
    (pid) =>
      pid !== process.pid && exists(pid) && wholeEnvironment(pid).includes(mark) && !descends(pid, known),
  );
}

function descends(pid: number, roots: ReadonlySet<number>): boolean {
  for (let current: number | undefined = pid; current !== undefined && current > 1;) {
    if (roots.has(current)) return true;
    current = processState(current)?.parent;
  }
  return false;
}

function wholeEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

/** A variable of a process; undefined where it has none of this name. */
export function environmentOf(pid: number, variable: string): string | undefined {
  const prefix = `${variable}=`;
  const found = wholeEnvironment(pid)
    .split('\0')
    .find((entry) => entry.startsWith(prefix));
  return found?.slice(prefix.length);
}
