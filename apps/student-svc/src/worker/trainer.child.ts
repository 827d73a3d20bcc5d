import { childPort, Compiler, fingerprint, startBackend } from '@fidelis/compute';
import { useDatasetCopies, useDatasetDirectory } from '@fidelis/data';
import { EAGER } from '@fidelis/distillation';
import { readDatasetsConfig } from '../config.js';
import { EagerReasons } from './eager-reasons.js';
import { runTraining } from './run-training.js';
import type { FromTrainer, ToTrainer } from './trainer-protocol.js';

/** Entry point of the training process: one training, then the end. */
const port = childPort<ToTrainer, FromTrainer>();
const inbox = port.messages[Symbol.asyncIterator]();

try {
  const first = await inbox.next();
  if (first.done === true || first.value.type !== 'start') throw new Error('a training begins with "start"');
  const start = first.value;
  const places = readDatasetsConfig();
  useDatasetDirectory(places.FIDELIS_DATASETS_DIR);
  useDatasetCopies(places.FIDELIS_DATASET_COPIES_DIR);
  const report = await startBackend({ preference: start.backend, threads: start.threads });
  const attempts = report.attempts.map(({ what, ok, reason }) =>
    ok ? `${what}: ok` : `${what}: ${reason ?? 'failed'}`,
  );
  const eager = new EagerReasons();
  const compiler = start.eager
    ? EAGER
    : new Compiler({
        directory: start.graphs,
        onEager: (name, reason) => {
          eager.add(name, reason);
          void port.send({ type: 'eager', name, reason });
        },
      });
  await runTraining({
    start,
    compiler,
    execution: () => (start.eager ? { mode: 'eager', reason: 'FIDELIS_EAGER is set' } : eager.execution()),
    producer: fingerprint(report),
    attempts,
    stopping: port.stopping,
    inbox,
    send: (message) => port.send(message),
  });
  await port.close();
} catch (error) {
  await port.fail(error);
}
