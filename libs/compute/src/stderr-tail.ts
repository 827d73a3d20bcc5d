import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

/** Lines kept for the report of a crash. */
const TAIL_LINES = 20;

/**
 * What TensorFlow's C++ library prints before its own log level takes effect, on every start; its log level does not
 * reach them.
 */
const START_UP_NOISE = [/^WARNING: All log messages before absl::InitializeLog/, /^I0000 .*\] /];

/** The last lines that a child wrote on stderr; each line also goes to `onLine`. */
export class StderrTail {
  readonly lines: string[] = [];

  constructor(stream: Readable, onLine: (line: string) => void) {
    const reader = createInterface({ input: stream, crlfDelay: Infinity });
    reader.on('line', (line) => {
      if (START_UP_NOISE.some((pattern) => pattern.test(line))) return;
      this.lines.push(line);
      if (this.lines.length > TAIL_LINES) this.lines.shift();
      onLine(line);
    });
  }
}
