import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../start-backend.js';
import { CompiledFunction, type NamedTensors, type TensorFunction } from './compiled-function.js';
import { Compiler } from './compiler.js';
import type { NativeBackend, NativeBinding } from '../native-kernels.js';
import { functionGraphs } from './function-graph.js';
import { GraphFiles } from './graph-files.js';
import type { LoadGraph } from './loaded-graph.js';
import { sessionGraphs } from './session-graph.js';

const nativeProblem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

let directory: string;
let eager: [string, string][];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fidelis-graphs-'));
  eager = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function backend(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

type Executor = 'session' | 'function';

/** Without those that the addon does not have. */
function executors(): readonly Executor[] {
  if (nativeProblem !== undefined) return ['session'];
  return backend().binding.registerFunction === undefined ? ['session'] : ['session', 'function'];
}

function loader(executor: Executor): LoadGraph {
  const { binding } = backend();
  const asFunction = executor === 'function' ? functionGraphs(binding) : undefined;
  return asFunction ?? sessionGraphs(binding, new GraphFiles(directory));
}

function compileAs(executor: Executor, body: TensorFunction): CompiledFunction {
  return new CompiledFunction('f', body, backend(), loader(executor), (...told) => void eager.push(told));
}

/** As if the addon had another binding for so long; its own is frozen. */
function withBinding<T>(changes: Readonly<Record<string, unknown>>, work: () => T): T {
  const native = backend();
  const original = native.binding;
  const properties = Object.entries(changes).map(([name, value]) => [name, { value }] as const);
  native.binding = Object.create(original, Object.fromEntries(properties)) as NativeBinding;
  try {
    return work();
  } finally {
    native.binding = original;
  }
}

/** softmax(x·w + 1) and its mean: several operations, two outputs, a constant. */
const layer: TensorFunction = ({ x, w }) =>
  tf.tidy(() => {
    const y = tf.softmax(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), 1));
    return { y, mean: tf.mean(y) };
  });

/** As a step takes its parameters out of their buffer. */
const SIZES = Array.from({ length: 400 }, (_, i) => 1 + (i % 2));
const ofManyTensors: TensorFunction = ({ x }) =>
  tf.tidy(() => ({ y: tf.concat(tf.split(x as tf.Tensor1D, SIZES).reverse()) }));

function rows(count: number): NamedTensors {
  const values = Float32Array.from({ length: count * 3 }, (_, i) => Math.fround(((i * 7) % 11) / 5 - 1));
  return {
    x: tf.tensor2d(values, [count, 3]),
    w: tf.tensor2d([0.5, -1, 2, 0.25, -0.75, 1], [3, 2]),
  };
}

function values(tensors: NamedTensors): Record<string, number[]> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, [...t.dataSync()]]));
}

function graphs(): string[] {
  return readdirSync(directory).filter((name) => !name.startsWith('.'));
}

function graphBytes(): number {
  return graphs().reduce((sum, name) => sum + statSync(join(directory, name, 'saved_model.pb')).size, 0);
}

describe.skipIf(nativeProblem !== undefined).each(executors())(
  `a compiled function as a %s${nativeProblem === undefined ? '' : ` (${nativeProblem})`}`,
  (executor) => {
    const compile = (body: TensorFunction): CompiledFunction => compileAs(executor, body);
    beforeAll(() => startBackend({ preference: 'native' }));

    it('gives what the function gives, bit for bit the same each time', () => {
      tf.tidy(() => {
        const compiled = compile(layer);
        const inputs = rows(5);
        const first = values(compiled.run(inputs));
        const wanted = values(layer(inputs));
        for (const [name, expected] of Object.entries(wanted)) {
          expected.forEach((value, i) => expect(first[name]?.[i]).toBeCloseTo(value, 6));
        }
        expect(values(compiled.run(rows(5)))).toEqual(first);
        expect(compiled.graphCount).toBe(1);
        expect(eager).toEqual([]);
        compiled.dispose();
      });
    });

    it('is another graph for each combination of shapes, and none for other values', () => {
      tf.tidy(() => {
        const compiled = compile(layer);
        for (const count of [5, 2, 5, 2, 5]) compiled.run(rows(count));
        compiled.run({ ...rows(5), w: tf.ones([3, 2]) });
        expect(compiled.graphCount).toBe(2);
        expect(graphs()).toHaveLength(executor === 'session' ? 2 : 0);
        compiled.dispose();
      });
    });

    it('takes another value of a scalar without another graph', () => {
      tf.tidy(() => {
        const compiled = compile(({ x, rate }) => ({ y: tf.mul(x as tf.Tensor, rate as tf.Tensor) }));
        const at = (rate: number): number[] =>
          values(compiled.run({ x: tf.tensor1d([1, 2]), rate: tf.scalar(rate) }))['y'] ?? [];
        expect([at(2), at(-3)]).toEqual([
          [2, 4],
          [-3, -6],
        ]);
        expect(compiled.graphCount).toBe(1);
        compiled.dispose();
      });
    });

    it('may give back an input as it came', () => {
      tf.tidy(() => {
        const compiled = compile(({ x }) => ({ same: x as tf.Tensor, twice: tf.mul(x as tf.Tensor, 2) }));
        const x = tf.tensor1d([1, 2]);
        expect(values(compiled.run({ x }))).toEqual({ same: [1, 2], twice: [2, 4] });
        expect(eager).toEqual([]);
        compiled.dispose();
      });
    });

    it('runs eagerly, and says why once, if it reads a value', () => {
      tf.tidy(() => {
        const compiled = compile(({ x }) => ({
          y: tf.add(x as tf.Tensor, (x as tf.Tensor).dataSync()[0] ?? 0),
        }));
        for (let i = 0; i < 2; i++) {
          expect(values(compiled.run({ x: tf.tensor1d([1, 2]) }))).toEqual({ y: [2, 3] });
        }
        expect(eager).toEqual([['f', 'it reads the values of a tensor while it runs']]);
        expect(compiled.eagerReason).toContain('reads the values');
        expect(graphs()).toEqual([]);
      });
    });

    it('runs eagerly, and says why, if it uses a tensor from elsewhere', () => {
      tf.tidy(() => {
        const foreign = tf.add(tf.tensor1d([1, 1]), 9);
        const compiled = compile(({ x }) => ({ y: tf.add(x as tf.Tensor, foreign) }));
        expect(values(compiled.run({ x: tf.tensor1d([1, 2]) }))).toEqual({ y: [11, 12] });
        expect(eager).toEqual([
          ['f', 'Add uses a tensor that is not among the inputs and was not made by the function'],
        ]);
      });
    });

    it('takes no tensor from elsewhere for a constant of its own, although it was not uploaded yet', () => {
      tf.tidy(() => {
        const foreign = tf.tensor1d([9, 9]);
        const compiled = compile(({ x }) => ({ y: tf.add(x as tf.Tensor, foreign) }));
        expect(values(compiled.run({ x: tf.tensor1d([1, 2]) }))).toEqual({ y: [10, 11] });
        expect(eager).toEqual([['f', expect.stringContaining('not among the inputs') as string]]);
      });
    });

    it('leaks no tensor: neither the recording, nor a run, nor a recording that fails', () => {
      const compiled = compile(layer);
      const failing = compile(({ x }) =>
        tf.tidy(() => ({ y: tf.add(x as tf.Tensor, (x as tf.Tensor).dataSync()[0] ?? 0) })),
      );
      const before = tf.memory().numTensors;
      for (const count of [4, 3, 4]) {
        tf.tidy(() => {
          compiled.run(rows(count));
          failing.run(rows(count));
        });
      }
      expect(tf.memory().numTensors).toBe(before);
      const inputs = rows(4);
      const outputs = compiled.run(inputs);
      expect(tf.memory().numTensors).toBe(before + 4);
      tf.dispose([inputs, outputs]);
      compiled.dispose();
    });

    it('does not depend on the order in which inputs are named', () => {
      tf.tidy(() => {
        const compiled = compile(layer);
        const { x, w } = rows(5);
        const first = values(compiled.run({ x, w } as NamedTensors));
        expect(values(compiled.run({ w, x } as NamedTensors))).toEqual(first);
        expect(compiled.graphCount).toBe(1);
        compiled.dispose();
      });
    });

    it('takes back what it gave, again and again', () => {
      const compiled = compile(({ w, rate }) =>
        tf.tidy(() => ({ w: tf.sub(w as tf.Tensor, tf.mul(w as tf.Tensor, rate as tf.Tensor)) })),
      );
      const rate = tf.scalar(0.5);
      let state: NamedTensors = { w: tf.tensor1d([1, -2]) };
      for (let step = 0; step < 10; step++) {
        const next = compiled.run({ ...state, rate });
        tf.dispose(state);
        state = next;
      }
      expect(values(state)).toEqual({ w: [2 ** -10, -(2 ** -9)] });
      expect(compiled.graphCount).toBe(1);
      tf.dispose([state, rate]);
      compiled.dispose();
    });

    it('is recorded alike whether its operations run meanwhile or TensorFlow only tells their shapes', () => {
      tf.tidy(() => {
        const told = values(compile(layer).run(rows(5)));
        const ran = withBinding({ inferShapes: undefined }, () => values(compile(layer).run(rows(5))));
        expect(ran).toEqual(told);
        expect(eager).toEqual([]);
      });
    });

    it('runs its operations to record them if a shape depends on values', () => {
      const positive: TensorFunction = ({ x }) =>
        tf.tidy(() => ({ y: tf.sum(tf.unique(x as tf.Tensor).values) }));
      tf.tidy(() => {
        const compiled = compile(positive);
        expect(values(compiled.run({ x: tf.tensor1d([1, 2, 2]) }))).toEqual({ y: [3] });
        expect(eager).toEqual([]);
        compiled.dispose();
      });
    });

    it.each([
      ['a layer', layer, rows(5)],
      ['a step of a network of very many tensors', ofManyTensors, { x: tf.ones([600]) }],
    ])('computes nothing while %s is recorded, where TensorFlow tells the shapes', (_, body, inputs) => {
      tf.tidy(() => {
        const ran: string[] = [];
        const { inferShapes, executeOp } = backend().binding;
        if (inferShapes === undefined) return;
        const counting: NativeBinding['executeOp'] = (operation, ...rest) => {
          ran.push(operation);
          return executeOp(operation, ...rest);
        };
        withBinding({ executeOp: counting }, () => compile(body).run(inputs));
        expect(ran.filter((operation) => !operation.startsWith('fidelis_function'))).toEqual([]);
      });
    });
  },
);

describe.skipIf(nativeProblem !== undefined)('graphs in files', () => {
  beforeAll(() => startBackend({ preference: 'native' }));

  it('holds a constant of equal values as one value', () => {
    tf.tidy(() => {
      compileAs('session', ({ x }) => ({ y: tf.add(x as tf.Tensor, tf.fill([100_000], 0.5)) })).run({
        x: tf.zeros([100_000]),
      });
      compileAs('session', ({ x }) => ({
        y: tf.add(x as tf.Tensor, tf.tensor1d(new Float32Array(100_000).fill(3))),
      })).run({
        x: tf.zeros([100_000]),
      });
      expect(graphs()).toHaveLength(2);
      expect(graphBytes()).toBeLessThan(2_000);
    });
  });

  it('runs eagerly if its graph cannot be written, and says so', () => {
    tf.tidy(() => {
      writeFileSync(join(directory, 'file'), '');
      const load = sessionGraphs(backend().binding, new GraphFiles(join(directory, 'file', 'graphs')));
      const compiled = new CompiledFunction('g', layer, backend(), load, (...told) => void eager.push(told));
      expect(values(compiled.run(rows(2)))['y']).toHaveLength(4);
      expect(eager).toEqual([['g', expect.stringContaining('ENOTDIR') as string]]);
    });
  });
});

describe.skipIf(nativeProblem !== undefined)('graphs as functions', () => {
  beforeAll(() => startBackend({ preference: 'native' }));

  it.skipIf(!executors().includes('function'))('are what is compiled by default, and need no files', () => {
    tf.tidy(() => {
      const compiled = new Compiler({ directory }).compile('f', layer);
      compiled.run(rows(2));
      expect(graphs()).toEqual([]);
      compiled.dispose();
    });
  });

  it('are sessions where the addon lacks the entry points', () => {
    tf.tidy(() => {
      const absent = { registerFunction: undefined, removeFunction: undefined, inferShapes: undefined };
      const outputs = withBinding(absent, () => {
        const compiled = new Compiler({ directory }).compile('f', layer);
        return values(compiled.run(rows(2)));
      });
      expect(outputs['y']).toHaveLength(4);
      expect(graphs()).toHaveLength(1);
    });
  });

  it.skipIf(!executors().includes('function'))('are gone from TensorFlow once they are disposed of', () => {
    tf.tidy(() => {
      const { registerFunction } = backend().binding;
      const names: string[] = [];
      const following: NativeBinding['registerFunction'] = (graph, name, ...rest) => {
        names.push(name);
        registerFunction?.(graph, name, ...rest);
      };
      withBinding({ registerFunction: following }, () => {
        const compiled = compileAs('function', ({ x }) => ({ y: tf.add(x as tf.Tensor, 1) }));
        const call = (): unknown =>
          backend().binding.executeOp(names[0] ?? '', [], backend().getInputTensorIds([tf.scalar(1)]), 1);
        compiled.run({ x: tf.scalar(1) });
        expect(names).toHaveLength(1);
        expect(call).not.toThrow();
        compiled.dispose();
        expect(call).toThrow(names[0] ?? '');
      });
    });
  });
});

describe('on a backend without graphs', () => {
  beforeAll(() => startBackend({ preference: 'wasm' }));
  afterAll(async () => {
    if (nativeProblem === undefined) await startBackend({ preference: 'native' });
  });

  it('a function stays as it is, and its caller hears of it', () => {
    const compiler = new Compiler({ directory, onEager: (...told) => void eager.push(told) });
    tf.tidy(() => {
      const outputs = values(compiler.compile('f', layer).run(rows(2)));
      expect(outputs['y']).toHaveLength(4);
    });
    expect(eager).toEqual([['f', 'the wasm backend has no graphs']]);
    expect(graphs()).toEqual([]);
  });
});
