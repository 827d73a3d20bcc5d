/**
 * Prints `N passed, N failed` (and `, N skipped`) from Vitest's JSON report as one line.
 *
 *     node tools/test-summary.mjs report.json
 */
import { readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node tools/test-summary.mjs <report.json>');
  process.exit(2);
}

let report;
try {
  report = JSON.parse(readFileSync(path, 'utf8'));
} catch (error) {
  console.error(`no report of the tests at ${path}: ${error.message}`);
  process.exit(1);
}

/** A file that could not be loaded has no test that failed; it counts as one. */
const unloadable = report.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
).length;
const failed = report.numFailedTests + unloadable;
const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0);
