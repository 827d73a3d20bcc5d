import { childPort, Compiler, computeClock, fingerprint, startBackend } from '@fidelis/compute';
import { useDatasetCopies, useDatasetDirectory } from '@fidelis/data';
import { EAGER } from '@fidelis/distillation';
import { readDatasetsConfig } from '../config.js';
import { Scorer } from './scorer.js';
import type { FromScorer, ToScorer } from './scorer-protocol.js';

/** Entry point of the scoring process: one teacher, as many tasks as it is given. */
const port = childPort<ToScorer, FromScorer>();

try {
  const places = readDatasetsConfig();
  useDatasetDirectory(places.FIDELIS_DATASETS_DIR);
  useDatasetCopies(places.FIDELIS_DATASET_COPIES_DIR);
  let scorer: Scorer | undefined;
  for await (const message of port.messages) {
    if (message.type === 'start') {
      const report = await startBackend({ preference: message.backend, threads: message.threads });
      const attempts = report.attempts.map(({ what, ok, reason }) =>
        ok ? `${what}: ok` : `${what}: ${reason ?? 'failed'}`,
      );
      const compiler = message.eager
        ? EAGER
        : new Compiler({
            directory: message.graphs,
            onEager: (name, reason) => void port.send({ type: 'eager', name, reason }),
          });
      scorer = await Scorer.create(message, compiler, computeClock(report.device), (result) =>
        port.send(result),
      );
      const { teacher } = message;
      const producer = (teacher.kind === 'archive' ? teacher.producer : null) ?? fingerprint(report);
      await port.send({ type: 'started', producer, attempts });
      continue;
    }
    if (scorer === undefined) throw new Error('scoring begins with "start"');
    if (message.type === 'forget-stream') {
      scorer.forget(message.key);
      continue;
    }
    await scorer.work(message, port.stopping);
    await port.send({ type: 'task-done', task: message });
  }
  await port.close();
} catch (error) {
  await port.fail(error);
}
