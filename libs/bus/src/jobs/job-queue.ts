import {
  FidelisError,
  jobSubject,
  parseStrict,
  parseTolerant,
  STREAMS,
  type JobContract,
  type Placement,
} from '@fidelis/contracts';
import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { BusPublisher } from '../connection/bus-publisher.js';
import { correlatedHeaders } from '../connection/correlation.js';
import { decodeJson, encodeJson } from '../connection/json-wire.js';
import { throughOutages } from '../connection/patience.js';

/** `already-queued`: a job with this id waits or is being worked on; nothing was added. */
export type EnqueueOutcome = 'queued' | 'already-queued';

export interface EnqueueOptions {
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long an absent server is waited for. @default without limit */
  readonly patienceMs?: number | undefined;
}

/** A job that waits, or that a worker has and has not finished. */
export interface QueuedJob<Payload> {
  readonly id: string;
  readonly placement: Placement;
  /** undefined where it is none of this contract. */
  readonly payload: Payload | undefined;
  /** Why it is none. */
  readonly problem?: string;
  readonly queuedAt: Date;
  /** In the queue's stream; grows with each job that is put there. */
  readonly sequence: number;
}

/** Of the workers of one placement. */
export interface QueueDepth {
  readonly placement: Placement;
  readonly waiting: number;
  readonly running: number;
}

const PLACEMENTS: readonly Placement[] = ['cpu', 'gpu'];

export class JobQueue {
  private readonly publisher: BusPublisher;

  constructor(private readonly connection: NatsConnection) {
    this.publisher = new BusPublisher(connection);
  }

  /**
   * Puts a job on the queue unless one of the same placement and id is there (waiting, or delivered and not yet
   * acknowledged), so it can be called again and again for whatever is unfinished.
   *
   * @throws FidelisError REQUEST.INVALID where the payload is not the contract's; BUS.UNAVAILABLE when the wait is given up
   */
  async enqueue<Schema extends z.ZodType>(
    contract: JobContract<Schema>,
    placement: Placement,
    id: string,
    payload: z.input<Schema>,
    options: EnqueueOptions = {},
  ): Promise<EnqueueOutcome> {
    const data = encodeJson(parseStrict(contract.schema, payload));
    const { correlationId, ...rest } = options;
    try {
      const { duplicate } = await this.publisher.store(jobSubject(contract, placement, id), data, {
        ...rest,
        headers: correlatedHeaders(correlationId),
        // The queue keeps one message per subject at most: its last sequence is 0 when there is none.
        expect: { lastSubjectSequence: 0 },
      });
      return duplicate ? 'already-queued' : 'queued';
    } catch (error) {
      const cause = FidelisError.is(error) ? error.cause : error;
      if (isJetStreamError(cause, JS_ERROR.wrongLastSequence)) return 'already-queued';
      throw error;
    }
  }

  /** All jobs of this contract, oldest first. */
  async list<Schema extends z.ZodType>(
    contract: JobContract<Schema>,
  ): Promise<readonly QueuedJob<z.output<Schema>>[]> {
    return throughOutages(
      async () => {
        const manager = await streamManager(this.connection);
        const jobs: QueuedJob<z.output<Schema>>[] = [];
        const { state } = await manager.streams.info(STREAMS.jobs.name, {
          subjects_filter: `${contract.subject}.*.*`,
        });
        for (const subject of Object.keys(state.subjects ?? {})) {
          const message = await lastOf(manager, subject);
          const [placement, id] = subject.slice(contract.subject.length + 1).split('.');
          if (message === undefined || id === undefined || (placement !== 'cpu' && placement !== 'gpu'))
            continue;
          const { time: queuedAt, seq: sequence, data } = message;
          jobs.push({ id, placement, ...readPayload(contract.schema, data), queuedAt, sequence });
        }
        return jobs.sort((a, b) => a.sequence - b.sequence);
      },
      { what: 'list the jobs' },
    );
  }

  /** How much there is to do, by placement: in hand is what was delivered and not yet acknowledged. */
  async depths(contract: JobContract): Promise<readonly QueueDepth[]> {
    return throughOutages(
      async () => {
        const manager = await streamManager(this.connection);
        const depths = new Map(PLACEMENTS.map((placement) => [placement, { waiting: 0, running: 0 }]));
        for (const placement of PLACEMENTS) {
          const { state } = await manager.streams.info(STREAMS.jobs.name, {
            subjects_filter: `${contract.subject}.${placement}.*`,
          });
          depths.set(placement, { waiting: Object.keys(state.subjects ?? {}).length, running: 0 });
        }
        for await (const { config, num_ack_pending: running } of manager.consumers.list(STREAMS.jobs.name)) {
          const placement = PLACEMENTS.find(
            (one) => config.filter_subject === `${contract.subject}.${one}.*`,
          );
          const depth = placement === undefined ? undefined : depths.get(placement);
          if (placement === undefined || depth === undefined) continue;
          depths.set(placement, { waiting: Math.max(0, depth.waiting - running), running });
        }
        return [...depths].map(([placement, depth]) => ({ placement, ...depth }));
      },
      { what: 'look at the queues' },
    );
  }

  /** Takes a job off the queue. A worker that has it is not told: see RunPositions.requestCancel. */
  async remove(contract: JobContract, placement: Placement, id: string): Promise<void> {
    const filter = jobSubject(contract, placement, id);
    await throughOutages(
      async () => {
        const manager = await streamManager(this.connection);
        await manager.streams.purge(STREAMS.jobs.name, { filter });
      },
      { what: `remove the job ${id}` },
    );
  }
}

/** One that nobody can read must not hide the others: whoever looks at the queue looks for what is wrong with it. */
function readPayload<Schema extends z.ZodType>(
  schema: Schema,
  data: Uint8Array,
): Pick<QueuedJob<z.output<Schema>>, 'payload' | 'problem'> {
  try {
    return { payload: parseTolerant(schema, decodeJson(data)) };
  } catch (error) {
    return { payload: undefined, problem: FidelisError.from(error).message };
  }
}

async function lastOf(manager: JetStreamManager, subject: string): Promise<StoredMsg | undefined> {
  try {
    return (await manager.streams.getMessage(STREAMS.jobs.name, { last_by_subj: subject })) ?? undefined;
  } catch (error) {
    // It was finished in between.
    if (isJetStreamError(error, JS_ERROR.noMessageFound)) return undefined;
    throw error;
  }
}
