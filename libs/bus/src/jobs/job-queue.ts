import { FidelisError, jobSubject, parseStrict, STREAMS, type JobContract } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { BusPublisher } from '../connection/bus-publisher.js';
import { correlatedHeaders } from '../connection/correlation.js';
import { encodeJson } from '../connection/json-wire.js';
import { throughOutages } from '../connection/patience.js';

export type Placement = 'cpu' | 'gpu';

/** `already-queued`: a job with this id waits or is being worked on; nothing was added. */
export type EnqueueOutcome = 'queued' | 'already-queued';

export interface EnqueueOptions {
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long an absent server is waited for. @default without limit */
  readonly patienceMs?: number | undefined;
}

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
