import { assemble } from './assembler.js';
import { ROW_FUNCTIONS } from './row-source.js';
import { SCORE_FUNCTIONS } from './score-source.js';

type Address = number;

/** What one row needs, in WebAssembly: each is described where it is assembled (`row-source.ts`, `score-source.ts`). Addresses are bytes in `memory`. */
export interface RowFunctions {
  readonly scanF32: (row: Address, classes: number, out: Address) => number;
  readonly scanF64: (row: Address, classes: number, out: Address) => number;
  readonly exponentialSumF32: (row: Address, classes: number, largest: number) => number;
  readonly exponentialSumF64: (row: Address, classes: number, largest: number) => number;
  readonly softmaxF32: (
    row: Address,
    classes: number,
    largest: number,
    logs: Address,
    probabilities: Address,
  ) => number;
  readonly softmaxF64: (
    row: Address,
    classes: number,
    largest: number,
    logs: Address,
    probabilities: Address,
  ) => number;
  readonly probabilitiesF32: (
    row: Address,
    classes: number,
    divisor: number,
    logs: Address,
    into: Address,
  ) => void;
  readonly probabilitiesF64: (
    row: Address,
    classes: number,
    divisor: number,
    logs: Address,
    into: Address,
  ) => void;
  readonly divergences: (
    logP: Address,
    p: Address,
    logQ: Address,
    q: Address,
    classes: number,
    out: Address,
  ) => void;
  readonly squaredDistance: (probabilities: Address, classes: number, column: number) => number;
  readonly ahead: (values: Address, classes: number, column: number) => number;
  readonly columns: (
    probabilities: Address,
    classes: number,
    threshold: number,
    coarse: Address,
    fine: Address,
    list: Address,
  ) => number;
  readonly temper: (values: Address, classes: number, largest: number, beta: number, out: Address) => void;
  readonly exponentials: (from: Address, to: Address, count: number) => void;
  readonly logarithms: (from: Address, to: Address, count: number) => void;
}

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Of the global object of Node.js, as much as is used here. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE_BYTES = 65_536;

/** The functions with the memory that they work in. */
export class RowKernel {
  readonly functions: RowFunctions;
  private readonly memory = new WebAssembly.Memory({ initial: 1 });

  constructor() {
    const module = new WebAssembly.Module(assemble([...ROW_FUNCTIONS, ...SCORE_FUNCTIONS]));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.functions = exports as RowFunctions;
  }

  /** @returns the memory, of at least so many bytes; a later call with more replaces it */
  reserve(bytes: number): ArrayBuffer {
    const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) this.memory.grow(missing);
    return this.memory.buffer;
  }
}
