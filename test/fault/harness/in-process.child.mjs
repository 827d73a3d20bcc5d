// Teacher and student in one process, without a bus: reads { dataset, view, codec, teacher, student } and the teacher's weights from the files that it is
// given, and prints the digest of the student's weights.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Compiler, startBackend } from '@fidelis/compute';
import { sha256Hex, throughCodec } from '@fidelis/contracts';
import { batchesOf, createSequenceView, createTableView, loadDataset } from '@fidelis/data';
import { Predictor, startingState, train } from '@fidelis/distillation';
import { createModel, decodeWeights, encodeWeights, initialWeights } from '@fidelis/models';

const [, , specFile, weightsFile] = process.argv;
const { view, codec, teacher, student } = JSON.parse(readFileSync(specFile, 'utf8'));

await startBackend({ preference: 'auto', threads: 1 });
const compiler = new Compiler({ directory: path.join(tmpdir(), 'graphs'), onEager: () => undefined });
const dataset = await loadDataset(view.dataset.name);
const classes = dataset.classes;

const teacherModel = createModel(teacher.architecture, dataset.inputShape, classes);
const teacherWeights = decodeWeights(teacherModel, readFileSync(weightsFile));
const predictor = new Predictor(teacherModel, compiler);
/** What the student would get of it over the wire. */
const answers = (inputs, rows) => throughCodec(predictor.predict(teacherWeights, inputs, rows), codec);

const model = createModel(student.architecture, dataset.inputShape, classes);
const { batches, answer } = view.kind === 'table' ? ofTable() : ofSequence();
const result = await train({
  model,
  optimizer: student.optimizer,
  schedule: student.schedule,
  loss: student.loss,
  batches,
  epochs: student.epochs,
  initial: startingState(model, initialWeights(model, student.seed), student.optimizer),
  targets: { framesConsumed: 0, framesTrained: 0, waitSeconds: 0, targets: answer, trained: () => undefined },
  compiler,
});
console.log(sha256Hex(encodeWeights(model, result)));

/** The whole table beforehand, chunk by chunk. */
function ofTable() {
  const table = createTableView(dataset, view);
  const logits = new Map();
  for (let chunk = 0; chunk < table.chunks; chunk++) {
    const { ids, inputs } = table.chunk(chunk);
    const values = answers(inputs, ids.length);
    ids.forEach((id, row) => logits.set(id, values.subarray(row * classes, (row + 1) * classes)));
  }
  return {
    batches: batchesOf(table, { seed: student.seed, batchSize: student.batchSize }),
    answer: async (_step, { ids }) => Float32Array.from([...ids].flatMap((id) => [...logits.get(id)])),
  };
}

function ofSequence() {
  const sequence = createSequenceView(dataset, view);
  return { batches: sequence, answer: async (_step, { ids, inputs }) => answers(inputs, ids.length) };
}
