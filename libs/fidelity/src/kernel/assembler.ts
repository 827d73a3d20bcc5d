/**
 * Assembles WebAssembly 1.0 with fixed-width SIMD: the instructions that the kernels use, by their names in the specification. An
 * instruction is its bytes, operands first.
 */
export type Code = readonly number[];

export const TYPE = { i32: 0x7f, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof TYPE;

const BLOCK = { plain: 0x40, f64: TYPE.f64, v128: TYPE.v128 } as const;
const SIMD = 0xfd;

export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

function float64(value: number): Code {
  return [...new Uint8Array(Float64Array.of(value).buffer)];
}

type Unary = (a: Code) => Code;
type Binary = (a: Code, b: Code) => Code;

const unary =
  (...opcode: number[]): Unary =>
  (a) => [...a, ...opcode];
const binary =
  (...opcode: number[]): Binary =>
  (a, b) => [...a, ...b, ...opcode];
const simd = (opcode: number): number[] => [SIMD, ...unsigned(opcode)];
/** Alignment 0 is always right; it is a hint. */
const load =
  (...opcode: number[]) =>
  (address: Code, offset = 0): Code => [...address, ...opcode, 0, ...unsigned(offset)];
const store =
  (...opcode: number[]) =>
  (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...opcode, 0, ...unsigned(offset)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  store: store(0x36),
  sub: binary(0x6b),
  and: binary(0x71),
  shl: binary(0x74),
  shrU: binary(0x76),
  ltU: binary(0x49),
  eq: binary(0x46),
  ctz: unary(0x68),
  popcnt: unary(0x69),
};

export const f64 = {
  const: (value: number): Code => [0x44, ...float64(value)],
  load: load(0x2b),
  store: store(0x39),
  add: binary(0xa0),
  sub: binary(0xa1),
  mul: binary(0xa2),
  div: binary(0xa3),
  eq: binary(0x61),
  lt: binary(0x63),
  gt: binary(0x64),
  ge: binary(0x66),
  promoteF32: unary(0xbb),
};

export const f32 = { load: load(0x2a), demoteF64: unary(0xb6) };

export const v128 = {
  load: load(...simd(0x00)),
  load64Zero: load(...simd(0x5d)),
  store: store(...simd(0x0b)),
  and: binary(...simd(0x4e)),
  or: binary(...simd(0x50)),
  /** Bits of `a` where the mask is set, of `b` elsewhere. */
  select: (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(0x52)],
  anyTrue: unary(...simd(0x53)),
};

const comparisons = (eq: number): Record<'eq' | 'lt' | 'gt' | 'ge', Binary> => ({
  eq: binary(...simd(eq)),
  lt: binary(...simd(eq + 2)),
  gt: binary(...simd(eq + 3)),
  ge: binary(...simd(eq + 5)),
});

export const f64x2 = {
  ...comparisons(0x47),
  splat: unary(...simd(0x14)),
  const: (value: number): Code => [...simd(0x0c), ...float64(value), ...float64(value)],
  lane: (value: Code, lane: number): Code => [...value, ...simd(0x21), lane],
  replace: (value: Code, lane: number, by: Code): Code => [...value, ...by, ...simd(0x22), lane],
  abs: unary(...simd(0xec)),
  add: binary(...simd(0xf0)),
  sub: binary(...simd(0xf1)),
  mul: binary(...simd(0xf2)),
  div: binary(...simd(0xf3)),
  /** b < a ? b : a */
  pmin: binary(...simd(0xf6)),
  /** a < b ? b : a */
  pmax: binary(...simd(0xf7)),
  promoteLow: unary(...simd(0x5f)),
};

export const f32x4 = {
  eq: binary(...simd(0x41)),
  splat: unary(...simd(0x13)),
  lane: (value: Code, lane: number): Code => [...value, ...simd(0x1f), lane],
  pmin: binary(...simd(0xea)),
  pmax: binary(...simd(0xeb)),
};

export const i32x4 = { bitmask: unary(...simd(0xa4)) };

export const i64x2 = {
  /** Both lanes; high and low half. */
  const: (high: number, low: number): Code => {
    const half = [...new Uint8Array(Uint32Array.of(low, high).buffer)];
    return [...simd(0x0c), ...half, ...half];
  },
  add: binary(...simd(0xce)),
  shl: (value: Code, bits: number): Code => [...value, ...i32.const(bits), ...simd(0xcb)],
  shrU: (value: Code, bits: number): Code => [...value, ...i32.const(bits), ...simd(0xcd)],
  bitmask: unary(...simd(0xc4)),
};

export const control = {
  sequence: (...parts: readonly Code[]): Code => parts.flat(),
  when: (condition: Code, then: Code): Code => [...condition, 0x04, BLOCK.plain, ...then, 0x0b],
  choose: (type: 'f64' | 'v128', condition: Code, then: Code, otherwise: Code): Code => [
    ...condition,
    0x04,
    BLOCK[type],
    ...then,
    0x05,
    ...otherwise,
    0x0b,
  ],
  /** `a` where the condition holds; both are computed. */
  select: (a: Code, b: Code, condition: Code): Code => [...a, ...b, ...condition, 0x1b],
  /** Runs the body as long as the condition holds before it. */
  loop: (condition: Code, body: Code): Code => [
    ...condition,
    0x04,
    BLOCK.plain,
    0x03,
    BLOCK.plain,
    ...body,
    ...condition,
    0x0d,
    0x00,
    0x0b,
    0x0b,
  ],
  return: (value: Code): Code => [...value, 0x0f],
  unreachable: [0x00] as Code,
};

/** A local variable. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  tee(value: Code): Code;
}

/** So many local variables. */
export type LocalTuple<Count extends number, Found extends Local[] = []> = Found['length'] extends Count
  ? Found
  : LocalTuple<Count, [...Found, Local]>;

/** Hands out the local variables of one function; parameters come first. */
export class Locals {
  readonly types: ValueType[] = [];

  constructor(private readonly parameterCount: number) {}

  parameters<Count extends number>(count: Count): LocalTuple<Count> {
    return Array.from({ length: count }, (_, index) => localAt(index)) as LocalTuple<Count>;
  }

  create<Count extends number>(type: ValueType, count: Count): LocalTuple<Count> {
    return Array.from({ length: count }, () => this.one(type)) as LocalTuple<Count>;
  }

  one(type: ValueType): Local {
    this.types.push(type);
    return localAt(this.parameterCount + this.types.length - 1);
  }
}

function localAt(index: number): Local {
  const at = unsigned(index);
  return {
    get: [0x20, ...at],
    set: (value) => [...value, 0x21, ...at],
    tee: (value) => [...value, 0x22, ...at],
  };
}

export interface FunctionSource {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType;
  readonly body: (locals: Locals) => Code;
}

const SECTION = { types: 1, imports: 2, functions: 3, exports: 7, code: 10 } as const;

/** A module that imports `env.memory` and exports every function. */
export function assemble(functions: readonly FunctionSource[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, result }) => [
    0x60,
    ...vector(parameters.map((type) => [TYPE[type]])),
    ...vector(result === undefined ? [] : [[TYPE[result]]]),
  ]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, 0x01];
  const exported = functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]);
  const bodies = functions.map(({ parameters, body }) => {
    const locals = new Locals(parameters.length);
    const instructions = body(locals);
    const code = [...vector(locals.types.map((type) => [1, TYPE[type]])), ...instructions, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(SECTION.types, types),
    ...section(SECTION.imports, [memory]),
    ...section(
      SECTION.functions,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(SECTION.exports, exported),
    ...section(SECTION.code, bodies),
  ]);
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): Code {
  return vector([...value].map((letter) => [letter.charCodeAt(0)]));
}

function section(id: number, items: readonly Code[]): Code {
  const content = vector(items);
  return [id, ...unsigned(content.length), ...content];
}
