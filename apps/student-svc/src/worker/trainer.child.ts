import { childPort, fingerprint, startBackend } from '@fidelis/compute';
import { runTraining } from './run-training.js';
import type { FromTrainer, ToTrainer } from './trainer-protocol.js';

/** Entry point of the training process: one training, then the end. */
const port = childPort<ToTrainer, FromTrainer>();
const inbox = port.messages[Symbol.asyncIterator]();

try {
  const first = await inbox.next();
  if (first.done === true || first.value.type !== 'start') throw new Error('a training begins with "start"');
  const start = first.value;
  const report = await startBackend({ preference: start.backend, threads: start.threads });
  const attempts = report.attempts.map(({ what, ok, reason }) =>
    ok ? `${what}: ok` : `${what}: ${reason ?? 'failed'}`,
  );
  await runTraining({
    start,
    producer: fingerprint(report),
    attempts,
    inbox,
    send: (message) => port.send(message),
  });
  await port.close();
} catch (error) {
  await port.fail(error);
}
