import { readFile } from 'node:fs/promises';
import { childPort, Compiler, startBackend } from '@fidelis/compute';
import { FidelisError } from '@fidelis/contracts';
import { inputLength, isImageShape, type InputShape } from '@fidelis/data';
import { EAGER, predictionBatchRows, Predictor, type FunctionCompiler } from '@fidelis/distillation';
import { createModel, readWeights, vocabularyOf } from '@fidelis/models';
import type { FromPredictor, ToPredictor } from './predict-protocol.js';

type Start = Extract<ToPredictor, { type: 'start' }>;
/** Weights are uploaded for every message: this many values of inputs make that small, and are little memory. */
const MESSAGE_VALUES = 4_000_000;

type Predict = (inputs: Float32Array, rows: number) => Extract<FromPredictor, { type: 'logits' }>;

const port = childPort<ToPredictor, FromPredictor>();
let predict: Predict | undefined;
try {
  for await (const message of port.messages) {
    if (message.type === 'end') break;
    if (message.type === 'start') predict = await start(message);
    else if (predict !== undefined) {
      await port.send(predict(message.inputs, message.rows));
    }
  }
  await port.close();
} catch (error) {
  await port.fail(error);
}

async function start({
  architecture,
  classes,
  dimensions,
  weightsFile,
  map,
  backend,
  graphs,
}: Start): Promise<Predict> {
  const bytes = await readFile(weightsFile);
  const model = aboutFile(weightsFile, () =>
    createModel(
      architecture,
      inputShapeOf(dimensions, () => vocabularyOf(bytes, map)),
      classes,
    ),
  );
  const weights = aboutFile(weightsFile, () => readWeights(model, bytes, map));
  const report = await startBackend({ preference: backend });
  let eagerReason: string | undefined;
  const predictor = new Predictor(
    model,
    compilerFor(graphs, (reason) => (eagerReason = reason)),
  );
  const { inputShape } = model;
  const passRows = predictionBatchRows(model);
  const passes = Math.max(1, Math.floor(MESSAGE_VALUES / (passRows * inputLength(inputShape))));
  await port.send({
    type: 'ready',
    parameters: model.parameterCount,
    backend: report.backend,
    batchRows: passRows * passes,
  });
  return (inputs, rows) => {
    if (!isImageShape(inputShape)) requireWords(inputs, inputShape.vocabulary);
    const values = predictor.predict(weights, inputs, rows);
    return { type: 'logits', values, ...(eagerReason === undefined ? {} : { eagerReason }) };
  };
}

function compilerFor(graphs: string | undefined, onEager: (reason: string) => void): FunctionCompiler {
  if (graphs === undefined) return EAGER;
  return new Compiler({ directory: graphs, onEager: (_, reason) => onEager(reason) });
}

function inputShapeOf(dimensions: readonly number[], vocabulary: () => number): InputShape {
  const [first = 0, width = 0, channels = 0] = dimensions;
  return dimensions.length === 1
    ? { length: first, vocabulary: vocabulary() }
    : { height: first, width, channels };
}

/** What is wrong with a person's file is a person's to mend: it counts as bad input here, with the file's name. */
function aboutFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!FidelisError.is(error) || error.code !== 'WEIGHTS.INVALID') throw error;
    throw new FidelisError('REQUEST.INVALID', `${file}: ${error.message}`, {
      details: { path: file },
      cause: error,
    });
  }
}

function requireWords(tokens: Float32Array, vocabulary: number): void {
  const wrong = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabulary);
  if (wrong === undefined) return;
  throw new FidelisError(
    'REQUEST.INVALID',
    `the input has the word ${wrong}; words are whole numbers from 0 (padding) to ${vocabulary - 1}, the last row of the embedding`,
  );
}
