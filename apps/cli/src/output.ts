import { FidelisError } from '@fidelis/contracts';
import { createProgressDisplay, type ProgressDisplay } from './render/progress-display.js';
import { createStyle, type Style } from './render/style.js';
import { InterruptedError } from './exit-status.js';

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Of what is no terminal. */
const DEFAULT_COLUMNS = 100;

/** stdout is for results, stderr for everything else; with --json stdout gets exactly one JSON document. */
export class Output {
  /** Of stdout. */
  readonly style: Style;
  /** Of stderr. */
  readonly messageStyle: Style;
  /** Of stdout. */
  readonly columns: number;
  private documentWritten = false;

  constructor(
    private readonly stdout: OutputStream,
    private readonly stderr: OutputStream,
    private readonly json: boolean,
    colourAllowed: boolean,
  ) {
    this.columns = stdout.columns ?? DEFAULT_COLUMNS;
    this.style = createStyle(colourAllowed && stdout.isTTY === true);
    this.messageStyle = createStyle(colourAllowed && stderr.isTTY === true);
  }

  /** The command's result: as the document, or as text for people. */
  result(document: unknown, text: () => string): void {
    if (this.json) this.writeDocument(document);
    else this.stdout.write(`${text()}\n`);
  }

  /** Something worth knowing that is not the result. */
  message(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** Progress of work that is short enough to say nothing of it in a log. */
  bars(): ProgressDisplay | undefined {
    return this.stderr.isTTY === true ? this.progress() : undefined;
  }

  progress(): ProgressDisplay {
    return createProgressDisplay(this.stderr, this.messageStyle);
  }

  /** With --json the error is the document, unless the result was written before. */
  error(error: unknown): void {
    if (error instanceof InterruptedError) {
      this.message(this.messageStyle.yellow('interrupted'));
      this.writeDocument({ error: { code: 'INTERRUPTED', message: 'interrupted', details: {} } });
      return;
    }
    const { code, message, details } = FidelisError.from(error);
    this.message(`${this.messageStyle.red(this.messageStyle.bold(`error ${code}`))}: ${message}`);
    this.writeDocument({ error: { code, message, details } });
  }

  private writeDocument(document: unknown): void {
    if (!this.json || this.documentWritten) return;
    this.documentWritten = true;
    this.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }
}
