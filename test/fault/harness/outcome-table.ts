import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { FAULT_SEED } from './schedule.js';
import type { FaultOutcome } from './fault-outcome.js';

/** Prints what became of each fault, as a table in Markdown, when all tests have run. */
export default class OutcomeTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) => [...module.children.allTests()].flatMap(row));
    if (rows.length === 0) return;
    const lines = [
      `Faults, seed ${FAULT_SEED}:`,
      '',
      '| fault | run | at step | outcome | attempts | seconds |',
      '|---|---|---|---|---|---|',
      ...rows,
    ];
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

function row(test: TestCase): string[] {
  const { fault } = test.meta();
  return fault === undefined ? [] : [line(fault, test)];
}

function line({ fault, of, at, outcome, attempts, seconds }: FaultOutcome, test: TestCase): string {
  const { state, errors = [] } = test.result();
  const came = state === 'passed' ? outcome : `${state}: ${errors[0]?.message.split('\n')[0] ?? ''}`;
  const cells = [fault, of, at, came.replaceAll('|', '\\|'), attempts ?? '', seconds?.toFixed(1) ?? ''];
  return `| ${cells.join(' | ')} |`;
}
