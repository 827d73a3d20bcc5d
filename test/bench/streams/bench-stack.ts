import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus, EventSubscriber, RpcClient, type NatsConnection } from '@fidelis/bus';
import { fidelisServices, startStack, type ServiceDefinition, type Stack } from '@fidelis/embedded';
import { pin } from './process-figures.js';

const WORKER = 'student-worker';

export interface BenchStackOptions {
  /** Workers, each for one student at a time. */
  readonly workers: number;
  /** Processor of the teacher, and of those of the students, as taskset takes them. */
  readonly teacherCpu: string;
  readonly studentCpu: string;
  /** Of broker, database and the other services. */
  readonly otherCpu: string;
  readonly leadSteps: number;
  /** Once it is aborted, nothing is asked any more. */
  readonly signal: AbortSignal;
}

/** All of Fidelis, as `fidelis up` starts it, with more workers, and with a processor for each side. */
export class BenchStack implements AsyncDisposable {
  readonly rpc: RpcClient;
  readonly events: EventSubscriber;

  private constructor(
    private readonly stack: Stack,
    private readonly connection: NatsConnection,
    private readonly directory: string,
    private readonly signal: AbortSignal,
  ) {
    this.rpc = new RpcClient(connection);
    this.events = new EventSubscriber(connection);
  }

  static async start(options: BenchStackOptions): Promise<BenchStack> {
    const directory = await mkdtemp(join(tmpdir(), 'fidelis-bench-'));
    const stack = await startStack({
      dataDir: directory,
      services: withWorkers(options.workers),
      env: {
        FIDELIS_THREADS: '1',
        FIDELIS_SCORING_PROCESSES: '1',
        FIDELIS_STREAM_LEAD_STEPS: String(options.leadSteps),
      },
    });
    for (const { name, pid } of stack.services) {
      if (pid === undefined) continue;
      if (name.startsWith(WORKER)) pin(pid, options.studentCpu);
      else pin(pid, name === 'teacher' ? options.teacherCpu : options.otherCpu);
    }
    const connection = await connectBus({ servers: stack.natsUrl, name: 'bench' });
    return new BenchStack(stack, connection, directory, options.signal);
  }

  get natsUrl(): string {
    return this.stack.natsUrl;
  }

  pidOf(service: string): number {
    const pid = this.stack.services.find(({ name }) => name === service)?.pid;
    if (pid === undefined) throw new Error(`${service} does not run`);
    return pid;
  }

  get workers(): readonly { readonly pid: number; readonly url: string }[] {
    return this.stack.services.flatMap(({ name, pid, url }) =>
      name.startsWith(WORKER) && pid !== undefined && url !== undefined ? [{ pid, url }] : [],
    );
  }

  /** @throws Error with what the gateway said; the signal's reason */
  async graphql(
    query: string,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    this.signal.throwIfAborted();
    const response = await fetch(new URL('/graphql', this.stack.gatewayUrl), {
      method: 'POST',
      // A connection that is kept may be closed by the other side just when it is used again.
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as {
      data?: Record<string, unknown> | null;
      errors?: unknown;
    };
    if (data === undefined || data === null || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
    await this.stack.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function withWorkers(count: number): readonly ServiceDefinition[] {
  return fidelisServices().flatMap((service) =>
    service.name === WORKER
      ? Array.from({ length: count }, (_, i) => ({
          ...service,
          name: i === 0 ? WORKER : `${WORKER}-${i + 1}`,
        }))
      : [service],
  );
}
