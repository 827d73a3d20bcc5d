import { join } from 'node:path';
import { startNatsServer } from '@fidelis/embedded';
import { createTemporaryDirectory } from './temporary-directory.js';

export interface TestNats {
  readonly url: string;
  readonly port: number;
  readonly pid: () => number;
  /** Ends it in order; its store stays for restart(). */
  stop(): Promise<void>;
  /** SIGKILL by default; SIGSTOP and SIGCONT freeze and thaw it. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Same port, same store. */
  restart(): Promise<void>;
  /** Ends it and removes its store. */
  dispose(): Promise<void>;
}

/** A real nats-server with JetStream for one suite: random port, store of its own. */
export async function startTestNats(): Promise<TestNats> {
  const directory = await createTemporaryDirectory('nats');
  const server = await startNatsServer({ storeDir: join(directory.path, 'store') });
  return {
    url: server.url,
    port: server.port,
    pid: () => server.pid,
    stop: () => server.stop(),
    kill: (signal) => server.kill(signal),
    restart: () => server.restart(),
    dispose: async () => {
      await server.kill('SIGKILL');
      await directory.remove();
    },
  };
}
