import { FidelisError } from '@fidelis/contracts';
import { FlowChannel, isEnvelope, type Envelope } from './flow-channel.js';

/** The child's end of its link to the service that spawned it. */
export interface ChildPort<FromParent, ToParent> {
  /** Waits while the parent is behind. */
  send(message: ToParent): Promise<void>;
  /** Ends when the parent asks to stop. */
  readonly messages: AsyncIterable<FromParent>;
  /** Aborted when the parent asks to stop: send what must not be lost, and `close`. */
  readonly stopping: AbortSignal;
  /** Says goodbye and lets the process end. Without it the parent takes the end for a crash. */
  close(): Promise<void>;
  /** Like `close`; the parent's iteration throws the error. */
  fail(error: unknown): Promise<void>;
}

/**
 * Opens the link. Call it once, first thing in the child. From then on this process ends when its parent does, and leaves
 * Ctrl-C (which a terminal sends to both) to the parent.
 *
 * @throws FidelisError INTERNAL in a process that was not spawned by `ComputeChild`
 */
export function childPort<FromParent, ToParent>(): ChildPort<FromParent, ToParent> {
  if (process.send === undefined) {
    throw new FidelisError('INTERNAL', 'this program is a compute child: a service starts it, people do not');
  }
  const channel = new FlowChannel<ToParent, FromParent>(postToParent);
  const stop = new AbortController();
  let closing = false;

  process.on('message', (message) => {
    if (!isEnvelope(message)) return;
    channel.accept(message);
    if (message.kind === 'stop') {
      stop.abort();
      channel.endReading();
    }
  });
  process.on('disconnect', () => {
    if (!closing) process.exit(1);
  });
  // The parent died while this process was still loading.
  if (!process.connected) process.exit(1);
  process.on('SIGINT', () => undefined);

  const leave = async (farewell: Envelope): Promise<void> => {
    if (closing) return;
    closing = true;
    await postToParent(farewell);
    channel.end();
    if (process.connected) process.disconnect();
  };
  return {
    send: (message) => channel.send(message),
    messages: channel.messages,
    stopping: stop.signal,
    close: () => leave({ kind: 'goodbye' }),
    fail: (error) => leave({ kind: 'failure', error: FidelisError.from(error).toWire() }),
  };
}

function postToParent(envelope: Envelope): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
    if (process.send === undefined) reject(new Error('the parent is gone'));
    else process.send(envelope, undefined, undefined, done);
  });
}
