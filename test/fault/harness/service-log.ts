import { readFile } from 'node:fs/promises';
import type { FaultStack } from './fault-stack.js';

export interface LogLine {
  readonly msg: string;
  readonly code?: string;
  readonly runId?: string;
}

/** What a service has said since the stack's start, line by line. */
export async function logLines({ running }: FaultStack, service: string): Promise<LogLine[]> {
  const file = running.stack.services.find(({ name }) => name === service)?.logFile;
  if (file === undefined) throw new Error(`there is no ${service}`);
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as LogLine);
}

/** The sample of one series in a service's /metrics; 0 where there is none. */
export async function sampleOf({ running }: FaultStack, service: string, series: string): Promise<number> {
  const url = running.stack.services.find(({ name }) => name === service)?.url;
  const text = await (await fetch(new URL('/metrics', url))).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
