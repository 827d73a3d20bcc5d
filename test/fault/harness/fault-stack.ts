import { connectBus, LogitLog, RunPositions, type NatsConnection } from '@fidelis/bus';
import type { RestartPolicy, ServiceDefinition } from '@fidelis/embedded';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { waitFor } from '@fidelis/testing';
import { RunningStack } from '../../e2e/running-stack.js';
import { Disturbance } from './disturbance.js';

/** Programs may end far more often than anywhere else. */
const RESTARTS: RestartPolicy = { limit: 100, windowMs: 60_000, firstDelayMs: 250, maxDelayMs: 1_000 };
/** Small, so that the teacher of a sequence scores for as long as its students train. */
export const LEAD_STEPS = 64;
const READY_DEADLINE_MS = 60_000;

/** A stack to be disturbed, and an eye on its bus that is not part of it. */
export class FaultStack implements AsyncDisposable {
  readonly positions: RunPositions;
  readonly log: LogitLog;
  readonly disturbance: Disturbance;

  private constructor(
    readonly running: RunningStack,
    readonly bus: NatsConnection,
    readonly manager: JetStreamManager,
  ) {
    this.positions = new RunPositions(bus);
    this.log = new LogitLog(bus);
    this.disturbance = new Disturbance(running);
  }

  static async start({
    env = {},
    services,
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly services?: readonly ServiceDefinition[];
  } = {}): Promise<FaultStack> {
    const running = await RunningStack.start(
      { FIDELIS_STREAM_LEAD_STEPS: String(LEAD_STEPS), ...env },
      { restartPolicy: RESTARTS, ...(services === undefined ? {} : { services }) },
    );
    try {
      const bus = await connectBus({ servers: running.stack.natsUrl, name: 'fault-tests' });
      return new FaultStack(running, bus, await jetstreamManager(bus));
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Every program runs and can be used. */
  async ready(): Promise<void> {
    await waitFor(
      async () => {
        const { services } = this.running.stack;
        if (services.some(({ state }) => state !== 'ready')) return false;
        const urls = services.flatMap(({ url }) => (url === undefined ? [] : [url]));
        const answers = await Promise.all(urls.map((url) => fetch(new URL('/health/ready', url))));
        return answers.every(({ ok }) => ok);
      },
      { what: 'every service to be ready', deadlineMs: READY_DEADLINE_MS },
    );
  }

  /** Names of the teacher services that have stored steps of the stream. */
  async producers(key: string): Promise<string[]> {
    const query = 'query ($key: ID!) { stream(key: $key) { producers { instance } } }';
    const { data } = await this.running.graphql(query, { key });
    const found = data?.['stream'] as
      { readonly producers: readonly { readonly instance: string }[] } | undefined;
    return found?.producers.map(({ instance }) => instance) ?? [];
  }

  /** So that the next run of it is live: its teacher scores it anew. */
  async removeStream(key: string): Promise<void> {
    await waitFor(
      async () => {
        const answer = await this.running.graphql(
          'mutation ($key: ID!) { removeStream(key: $key) { key } }',
          {
            key,
          },
        );
        // As long as the last run's release is under way.
        if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
        return true;
      },
      { what: `the stream ${key} to be removed`, deadlineMs: 30_000, everyMs: 200 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
    await this.running[Symbol.asyncDispose]();
  }
}
